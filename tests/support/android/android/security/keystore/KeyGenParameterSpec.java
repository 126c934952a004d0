package android.security.keystore;

import java.security.spec.AlgorithmParameterSpec;

/** Signatures alone (API level 30); nothing here runs. */
public final class KeyGenParameterSpec implements AlgorithmParameterSpec {
    public static final class Builder {
        public Builder(String keystoreAlias, int purposes) { throw new UnsupportedOperationException(); }
        public native Builder setAlgorithmParameterSpec(AlgorithmParameterSpec spec);
        public native Builder setDigests(String... digests);
        public native Builder setAttestationChallenge(byte[] attestationChallenge);
        public native Builder setIsStrongBoxBacked(boolean isStrongBoxBacked);
        public native Builder setUserAuthenticationRequired(boolean required);
        public native Builder setUserAuthenticationParameters(int timeout, int type);
        public native Builder setInvalidatedByBiometricEnrollment(boolean invalidateKey);
        public native KeyGenParameterSpec build();
    }
}
