#!/bin/sh
# Makes the packages of this folder anew: small Android packages, signed in every way that is read.
#
#   apt install apksigner aapt android-framework-res openssl default-jre-headless
#   sh tests/support/packages/make.sh
#
# The keys are thrown away. Other keys give other signers, so the tests read signers from the
# packages, and never expect a digest.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

certified() { # name, algorithm, option
    openssl genpkey -algorithm "$2" -pkeyopt "$3" -out "$1.key"
    openssl pkcs8 -topk8 -nocrypt -in "$1.key" -outform DER -out "$1.pk8"
    openssl req -x509 -new -key "$1.key" -days 10950 -sha256 \
        -subj "/CN=$1 (test fixture)/O=Tallystick tests" -out "$1.pem"
}
certified provider RSA rsa_keygen_bits:2048
certified later EC ec_paramgen_curve:P-256
certified stranger EC ec_paramgen_curve:P-256

mkdir -p assets
package() { # file, versionCode, versionName, text
    cat > AndroidManifest.xml <<XML
<?xml version="1.0" encoding="utf-8"?>
<manifest xmlns:android="http://schemas.android.com/apk/res/android"
    package="org.example.wallet" android:versionCode="$2" android:versionName="$3">
  <uses-sdk android:minSdkVersion="26" android:targetSdkVersion="34"/>
  <application android:label="Wallet" android:allowBackup="false"/>
</manifest>
XML
    printf '%s\n' "$4" > assets/notice.txt
    aapt package -f -M AndroidManifest.xml -A assets \
        -I /usr/share/android-framework-res/framework-res.apk -F "$1"
}
package genuine.bare 42 4.2.0 "what the provider wrote"
package newer.bare 50 5.0.0 "what the provider wrote later"
package changed.bare 43 4.3.0 "what somebody else put in"

sign() { # out, bare, options
    out=$1; bare=$2; shift 2
    apksigner sign --min-sdk-version 26 --v4-signing-enabled false "$@" --out "$here/$out" "$bare"
}
provider="--key provider.pk8 --cert provider.pem"
later="--key later.pk8 --cert later.pem"
sign all.apk genuine.bare --v1-signing-enabled true $provider
sign second.apk genuine.bare --v1-signing-enabled false --v3-signing-enabled false $later
sign third.apk genuine.bare --v1-signing-enabled false --v2-signing-enabled false \
    --min-sdk-version 28 $later
sign first.apk genuine.bare --min-sdk-version 23 --v1-signing-enabled true \
    --v2-signing-enabled false --v3-signing-enabled false $provider
sign two.apk genuine.bare --v1-signing-enabled false --v3-signing-enabled false $provider \
    --next-signer $later
sign verity.apk genuine.bare --v1-signing-enabled false --verity-enabled true $provider
sign repackaged.apk changed.bare --v1-signing-enabled true --key stranger.pk8 --cert stranger.pem
apksigner rotate --out lineage --old-signer $provider --new-signer $later
sign rotated.apk newer.bare --v1-signing-enabled false --lineage lineage $provider \
    --next-signer $later
rm -f "$here"/*.idsig
