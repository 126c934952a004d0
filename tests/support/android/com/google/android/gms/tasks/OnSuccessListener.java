package com.google.android.gms.tasks;

/** Signatures alone; nothing here runs. */
public interface OnSuccessListener<T> {
    void onSuccess(T result);
}
