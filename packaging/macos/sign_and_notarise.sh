#!/bin/bash
# Signs Liangli.app, has Apple check it, and does the same with the disk image.
#
#   sign_and_notarise.sh app Liangli.app        before the disk image is made
#   sign_and_notarise.sh dmg liangli.dmg        afterwards
#
# Named by the environment:
#   MACOS_SIGN_IDENTITY      "Developer ID Application: NAME (TEAM)", from the key chain. Without it the app is signed for
#                            nobody ("ad hoc"): it starts, but the user has to allow it once in the system's settings.
#   MACOS_NOTARY_KEY         file of an App Store Connect API key (.p8)
#   MACOS_NOTARY_KEY_ID      its id
#   MACOS_NOTARY_ISSUER      who issued it
#                            Without these three Apple is not asked.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
identity=${MACOS_SIGN_IDENTITY:--}

sign() {
    if [ "$identity" = - ]; then
        codesign --force --sign - "$@"
    else
        codesign --force --timestamp --options runtime --sign "$identity" "$@"
    fi
}

# notarise FILE: waits for the answer; a refusal ends the script with what Apple says about it.
notarise() {
    if [ "$identity" = - ] || [ -z "${MACOS_NOTARY_KEY:-}" ]; then
        echo "not notarised: $1" >&2
        return 0
    fi
    answer=$(xcrun notarytool submit "$1" --key "$MACOS_NOTARY_KEY" --key-id "$MACOS_NOTARY_KEY_ID" \
        --issuer "$MACOS_NOTARY_ISSUER" --wait --output-format json)
    case "$answer" in
    *'"status":"Accepted"'*) ;;
    *)
        id=$(printf '%s' "$answer" | sed -n 's/.*"id":"\([^"]*\)".*/\1/p')
        xcrun notarytool log "$id" --key "$MACOS_NOTARY_KEY" --key-id "$MACOS_NOTARY_KEY_ID" \
            --issuer "$MACOS_NOTARY_ISSUER" >&2 || :
        exit 1
        ;;
    esac
}

# From the inside out: what is signed first may not change afterwards.
sign_app() {
    find "$1/Contents" -type f \( -name '*.dylib' -o -name '*.so' \) -print0 | while IFS= read -r -d '' file; do
        sign "$file"
    done
    find "$1/Contents/Frameworks" -type d -name '*.framework' -prune -print0 | while IFS= read -r -d '' folder; do
        sign "$folder"
    done
    sign --entitlements "$here/entitlements.plist" "$1/Contents/MacOS/liangli"
    sign --entitlements "$here/entitlements.plist" "$1"
    codesign --verify --deep --strict "$1"
}

case "${1:-}" in
app)
    sign_app "$2"
    packed=$(mktemp -d)/app.zip
    ditto -c -k --keepParent "$2" "$packed"
    notarise "$packed"
    rm -f "$packed"
    if [ "$identity" != - ] && [ -n "${MACOS_NOTARY_KEY:-}" ]; then xcrun stapler staple "$2"; fi
    ;;
dmg)
    if [ "$identity" != - ]; then codesign --force --timestamp --sign "$identity" "$2"; fi
    notarise "$2"
    if [ "$identity" != - ] && [ -n "${MACOS_NOTARY_KEY:-}" ]; then xcrun stapler staple "$2"; fi
    ;;
*)
    sed -n '2,/^set/p' "$0" | sed '/^set/d; s/^# \{0,1\}//' >&2
    exit 2
    ;;
esac
