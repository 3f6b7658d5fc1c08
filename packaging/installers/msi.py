"""The MSI for Windows, which administrators hand out: for one user each, made with wixl, so on Linux.

Two builds differ: wixl writes the time and a random package code into each, and by Windows' rules no two files may have
the same code.
"""

from __future__ import annotations

import uuid
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree

from installers.places import BUILD, DIST, run, source_date, version
from installers.windows import PROGRAM, WINDOW, numeric_version, payload_files

# Never to be changed: by it Windows knows a new version as one of the same program.
UPGRADE_CODE = "8d5c0f1e-7f0b-4f5e-9b0a-4f9a3c6d2e71"
_SPACE = uuid.UUID(UPGRADE_CODE)
_NAMESPACE = "http://schemas.microsoft.com/wix/2006/wi"


def build_msi(payload: Path, *, folder: Path = DIST) -> Path:
    """`liangli-VERSION-windows-x64.msi` of the frozen program's folder."""
    names = payload_files(payload)
    if strange := [name for name in names if not name.isascii()]:
        raise SystemExit(f"wixl cannot write these names: {', '.join(strange)}")
    folder.mkdir(exist_ok=True)
    source, target = BUILD / "liangli.wxs", folder / f"liangli-{version()}-windows-x64.msi"
    source.write_text(description(names, version()), encoding="utf-8")
    run(
        *("wixl", "--arch", "x64", "--output", target.resolve(), source),
        # It looks for the files from where it is started.
        folder=payload,
        environment={"SOURCE_DATE_EPOCH": str(source_date())},
    )
    return target


def description(files: list[str], text_version: str) -> str:
    """What wixl reads: a component for each file, with identities that depend on nothing but version and path."""
    # Of four numbers Windows Installer compares three.
    short = ".".join(numeric_version(text_version).split(".")[:3])
    root = ElementTree.Element("Wix", xmlns=_NAMESPACE)
    product = _add(
        root,
        "Product",
        Id=_identity(f"product {text_version}"),
        UpgradeCode=UPGRADE_CODE,
        Name="Liangli",
        Version=short,
        Manufacturer="Liangli",
        Language="1033",
    )
    _add(
        product,
        "Package",
        Id=_identity(f"package {text_version}"),
        InstallerVersion="500",
        Compressed="yes",
        InstallScope="perUser",
        Description="Liangli",
    )
    _add(product, "Media", Id="1", Cabinet="files.cab", EmbedCab="yes")
    _add(product, "MajorUpgrade", DowngradeErrorMessage="A newer version of Liangli is already installed.")
    _add(product, "Property", Id="ARPNOMODIFY", Value="1")
    top = _add(product, "Directory", Id="TARGETDIR", Name="SourceDir")
    local = _add(_add(top, "Directory", Id="LocalAppDataFolder"), "Directory", Id="ProgramsFolder", Name="Programs")
    place = _add(local, "Directory", Id="INSTALLDIR", Name="Liangli")
    components = _files(place, files)
    components.append(_registration(place))
    _add(top, "Directory", Id="ProgramMenuFolder")
    feature = _add(product, "Feature", Id="Program", Level="1", Title="Liangli")
    for component in components:
        _add(feature, "ComponentRef", Id=component)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _files(place: ElementTree.Element, files: list[str]) -> list[str]:
    folders = {PurePosixPath("."): place}
    components = []
    for name in files:
        path = PurePosixPath(name)
        for parent in reversed([path.parent, *path.parent.parents]):
            if parent not in folders:
                key = _key("d", parent)
                folders[parent] = _add(folders[parent.parent], "Directory", Id=key, Name=parent.name)
        key = _key("c", path)
        component = _add(folders[path.parent], "Component", Id=key, Guid=_identity(f"file {name}"))
        attributes = {"Id": _key("f", path), "Name": path.name, "Source": name, "KeyPath": "yes"}
        program = _add(component, "File", **attributes)
        if name == WINDOW:
            shortcut = {"Id": "StartMenu", "Directory": "ProgramMenuFolder", "Name": "Liangli"}
            _add(program, "Shortcut", WorkingDirectory="INSTALLDIR", **shortcut)
        components.append(key)
    return components


def _registration(place: ElementTree.Element) -> str:
    """What opens model files and liangli:// addresses, and where the program for terminals is."""
    component = _add(place, "Component", Id="Registration", Guid=_identity("registration"))
    command = f'"[INSTALLDIR]{WINDOW}" "%1"'
    classes = "Software\\Classes"
    values = (
        (f"{classes}\\Liangli.gguf", None, "GGUF language model"),
        (f"{classes}\\Liangli.gguf\\DefaultIcon", None, f"[INSTALLDIR]{WINDOW},0"),
        (f"{classes}\\Liangli.gguf\\shell\\open\\command", None, command),
        (f"{classes}\\.gguf\\OpenWithProgids", "Liangli.gguf", ""),
        (f"{classes}\\liangli", None, "URL:Liangli"),
        (f"{classes}\\liangli", "URL Protocol", ""),
        (f"{classes}\\liangli\\shell\\open\\command", None, command),
        (f"Software\\Microsoft\\Windows\\CurrentVersion\\App Paths\\{PROGRAM}", None, f"[INSTALLDIR]{PROGRAM}"),
    )
    for key, name, value in values:
        entry = _add(component, "RegistryValue", Root="HKCU", Key=key, Type="string", Value=value)
        if name:
            entry.set("Name", name)
    return "Registration"


def _key(kind: str, path: PurePosixPath) -> str:
    """Identifiers have letters and digits of ASCII only."""
    return kind + uuid.uuid5(_SPACE, str(path)).hex


def _identity(what: str) -> str:
    return str(uuid.uuid5(_SPACE, what)).upper()


def _add(parent: ElementTree.Element, tag: str, **attributes: str) -> ElementTree.Element:
    return ElementTree.SubElement(parent, tag, attributes)
