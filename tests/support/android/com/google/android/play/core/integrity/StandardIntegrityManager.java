package com.google.android.play.core.integrity;

import com.google.android.gms.tasks.Task;

/** Signatures alone; nothing here runs. */
public interface StandardIntegrityManager {
    interface StandardIntegrityTokenProvider {
        Task<StandardIntegrityToken> request(StandardIntegrityTokenRequest request);
    }

    abstract class StandardIntegrityToken {
        public abstract String token();
    }

    abstract class StandardIntegrityTokenRequest {
        public static native Builder builder();

        public abstract static class Builder {
            public abstract Builder setRequestHash(String requestHash);
            public abstract StandardIntegrityTokenRequest build();
        }
    }
}
