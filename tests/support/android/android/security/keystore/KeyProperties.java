package android.security.keystore;

/** Signatures alone (API level 30); nothing here runs. */
public abstract class KeyProperties {
    public static final String KEY_ALGORITHM_EC = "EC";
    public static final String DIGEST_SHA256 = "SHA-256";
    public static final int PURPOSE_SIGN = 4;
    public static final int AUTH_BIOMETRIC_STRONG = 2;
}
