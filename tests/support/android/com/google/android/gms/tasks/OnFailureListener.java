package com.google.android.gms.tasks;

/** Signatures alone; nothing here runs. */
public interface OnFailureListener {
    void onFailure(Exception e);
}
