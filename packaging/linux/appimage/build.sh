#!/bin/sh
# Makes dist/liangli-VERSION-linux-x86_64.AppImage of the Debian package, whose files lie as an AppDir's do.
#
#   build.sh dist/liangli_VERSION_amd64.deb
#
# $APPIMAGETOOL is appimagetool, and $APPIMAGE_RUNTIME the runtime that is put before the image. No package registry
# carries them; the workflow fetches both and checks their hashes.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
package=$1
version=$(dpkg-deb -f "$package" Version)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

dpkg-deb -x "$package" "$work/AppDir"
id=io.github.liangli.Liangli
install -m 755 "$here/AppRun" "$work/AppDir/AppRun"
cp "$work/AppDir/usr/share/applications/$id.desktop" "$work/AppDir/$id.desktop"
cp "$work/AppDir/usr/share/icons/hicolor/256x256/apps/$id.png" "$work/AppDir/$id.png"
ln -s "$id.png" "$work/AppDir/.DirIcon"
# What dpkg alone reads.
rm -rf "$work/AppDir/usr/share/lintian" "$work/AppDir/usr/bin/liangli"
ln -s ../../opt/liangli/liangli "$work/AppDir/usr/bin/liangli"
if [ -n "${APPDIR_ONLY:-}" ]; then
    mv "$work/AppDir" "$APPDIR_ONLY"
    exit 0
fi
ARCH=x86_64 "${APPIMAGETOOL:?}" --no-appstream --runtime-file "${APPIMAGE_RUNTIME:?}" \
    "$work/AppDir" "dist/liangli-$version-linux-x86_64.AppImage"
