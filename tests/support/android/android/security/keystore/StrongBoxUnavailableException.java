package android.security.keystore;

import java.security.ProviderException;

/** Signatures alone (API level 28); nothing here runs. */
public class StrongBoxUnavailableException extends ProviderException {}
