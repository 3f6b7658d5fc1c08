; The setup for Windows: for one user, without administrator's rights. Compiled by installers/windows.py, which defines
;   VERSION      "0.1.0"
;   VERSION4     "0.1.0.0"
;   PAYLOAD      the frozen program's folder
;   FILES        a list of its files, made by installers/windows.py
;   SIZE_KIB     what they take
;   ICON, SIDE   the icon, the picture beside the last page
;   DICTIONARY_MB  of the packer
;   OUTPUT
;   TARGET       if given, the kind of setup; what it installs is for x64 in any case
Unicode true
!ifdef TARGET
  Target "${TARGET}"
!endif
!include "MUI2.nsh"
!include "FileFunc.nsh"
!include "LogicLib.nsh"
!include "WinVer.nsh"
!include "x64.nsh"
!include "nsDialogs.nsh"

Name "$(AppName)"
BrandingText "$(AppName) ${VERSION}"
OutFile "${OUTPUT}"
InstallDir "$LOCALAPPDATA\Programs\Liangli"
InstallDirRegKey HKCU "Software\Liangli" "Folder"
RequestExecutionLevel user
ManifestDPIAware true
ManifestSupportedOS Win10
SetCompressor /SOLID lzma
SetCompressorDictSize ${DICTIONARY_MB}
SetDateSave off
VIProductVersion "${VERSION4}"
VIAddVersionKey "ProductName" "Liangli"
VIAddVersionKey "FileDescription" "Liangli Setup"
VIAddVersionKey "FileVersion" "${VERSION}"
VIAddVersionKey "ProductVersion" "${VERSION}"
VIAddVersionKey "LegalCopyright" "Apache-2.0"

!define UNINSTALL "Software\Microsoft\Windows\CurrentVersion\Uninstall\Liangli"
!define CLASSES "Software\Classes"
!define PROGRAM "liangli.exe"
!define WINDOW "liangliw.exe"
!define START_MENU "$SMPROGRAMS\量力.lnk"
; What `liangli stop` waits at most, and somewhat more.
!define STOP_MILLISECONDS 20000

!define MUI_ICON "${ICON}"
!define MUI_UNICON "${ICON}"
!define MUI_WELCOMEFINISHPAGE_BITMAP "${SIDE}"
!define MUI_ABORTWARNING
!define MUI_FINISHPAGE_RUN "$INSTDIR\${WINDOW}"
!define MUI_FINISHPAGE_RUN_TEXT "$(RunNow)"
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
UninstPage custom un.AskAboutData un.TakeAnswers
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "SimpChinese"
!insertmacro MUI_LANGUAGE "English"

!macro Words NAME CHINESE ENGLISH
  LangString ${NAME} ${LANG_SIMPCHINESE} "${CHINESE}"
  LangString ${NAME} ${LANG_ENGLISH} "${ENGLISH}"
!macroend
!insertmacro Words AppName "量力" "Liangli"
!insertmacro Words RunNow "立即打开量力" "Open Liangli now"
!insertmacro Words ModelFile "GGUF 大语言模型" "GGUF language model"
!insertmacro Words OpenWith "用量力打开" "Open with Liangli"
!insertmacro Words About "让中文开源大模型跑在你自己的电脑上" "Runs Chinese open models on your own computer"
!insertmacro Words TooOld "量力需要 64 位的 Windows 10（1809 版）或更新的系统。" \
  "Liangli needs 64-bit Windows 10, version 1809, or newer."
!insertmacro Words InUse "量力正在运行。请先关闭量力的窗口和终端，再点“重试”。" \
  "Liangli is running. Please close its windows and terminals, then choose “Retry”."
!insertmacro Words NotReplaced "旧版本的文件删不掉，安装没有继续，原来的程序没有改动。" \
  "The files of the previous version could not be removed. Nothing was changed."
!insertmacro Words DataTitle "保留对话和模型？" "Keep chats and models?"
!insertmacro Words DataSubtitle "不勾选就会保留，重新安装后还能接着用。" \
  "What is not ticked stays, and is there again after a new installation."
!insertmacro Words DataPlace "数据文件夹：" "Data folder: "
!insertmacro Words RemoveModels "删除下载的模型（约 $2 MB）" "Remove the downloaded models (about $2 MB)"
!insertmacro Words RemoveChats "删除对话和设置（删除后无法恢复）" "Remove chats and settings (they cannot be brought back)"
!insertmacro Words DataElsewhere "数据在环境变量 LIANGLI_HOME 指定的文件夹里，不会改动。" \
  "The data is in the folder that LIANGLI_HOME names. It stays as it is."

Var ModelsBox
Var ChatsBox
Var RemoveModels
Var RemoveChats
Var Data

; The service is ended by the program itself; whether windows and terminals are closed is told by whether their programs
; can be written to. Puts "" on the stack, or "busy".
!macro CloseFunction UN
Function ${UN}CloseProgram
  IfFileExists "$INSTDIR\${PROGRAM}" 0 free
  nsExec::Exec /TIMEOUT=${STOP_MILLISECONDS} '"$INSTDIR\${PROGRAM}" stop'
  Pop $0
  StrCpy $1 0
again:
  ClearErrors
  FileOpen $0 "$INSTDIR\${PROGRAM}" a
  IfErrors busy
  FileClose $0
  IfFileExists "$INSTDIR\${WINDOW}" 0 free
  FileOpen $0 "$INSTDIR\${WINDOW}" a
  IfErrors busy
  FileClose $0
free:
  ClearErrors
  Push ""
  Return
busy:
  IntOp $1 $1 + 1
  Sleep 250
  IntCmp $1 12 0 again 0
  IfSilent still
  StrCpy $1 0
  MessageBox MB_RETRYCANCEL|MB_ICONEXCLAMATION "$(InUse)" IDRETRY again
still:
  Push "busy"
FunctionEnd
!macroend
!insertmacro CloseFunction ""
!insertmacro CloseFunction "un."

; The folder for programs of the terminal's PATH. The value may be longer than NSIS's strings: it is handled in memory of
; its own, and stays of the kind that has names of other variables in it (REG_EXPAND_SZ).
!macro PathFunctions UN
Function ${UN}OpenPath ; $R0: memory of 64 KiB with the user's Path, or 0; $R1: the key
  StrCpy $R0 0
  System::Call 'advapi32::RegCreateKeyW(p 0x80000001, w "Environment", *p .R1) i .R2'
  ${If} $R2 <> 0
    Return
  ${EndIf}
  System::Alloc 65536
  Pop $R0
  System::Call 'advapi32::RegQueryValueExW(p R1, w "Path", p 0, *i .R3, p R0, *i 65000 R4) i .R2'
  ; 2: there is none yet, and the memory is empty. Anything else is left alone.
  ${If} $R2 <> 0
  ${AndIf} $R2 <> 2
    System::Free $R0
    StrCpy $R0 0
    System::Call 'advapi32::RegCloseKey(p R1)'
  ${EndIf}
FunctionEnd
Function ${UN}ClosePath ; writes $R0 back and tells running programs
  System::Call 'kernel32::lstrlenW(p R0) i .R4'
  IntOp $R4 $R4 + 1
  IntOp $R4 $R4 * 2
  System::Call 'advapi32::RegSetValueExW(p R1, w "Path", i 0, i 2, p R0, i R4)'
  System::Free $R0
  System::Call 'advapi32::RegCloseKey(p R1)'
  SendMessage ${HWND_BROADCAST} ${WM_SETTINGCHANGE} 0 "STR:Environment" /TIMEOUT=2000
FunctionEnd
!macroend
!insertmacro PathFunctions ""
!insertmacro PathFunctions "un."

Function AddToPath
  Call OpenPath
  ${If} $R0 = 0
    Return
  ${EndIf}
  System::Call 'shlwapi::StrStrIW(p R0, w "$INSTDIR") p .R5'
  ${If} $R5 = 0
    System::Call 'kernel32::lstrlenW(p R0) i .R4'
    ${If} $R4 > 0
    ${AndIf} $R4 < 30000
      System::Call 'kernel32::lstrcatW(p R0, w ";")'
    ${EndIf}
    ${If} $R4 < 30000
      System::Call 'kernel32::lstrcatW(p R0, w "$INSTDIR")'
    ${EndIf}
  ${EndIf}
  Call ClosePath
FunctionEnd

Function un.RemoveFromPath
  Call un.OpenPath
  ${If} $R0 = 0
    Return
  ${EndIf}
  System::Call 'shlwapi::StrStrIW(p R0, w "$INSTDIR") p .R5'
  ${If} $R5 <> 0
    StrLen $R6 "$INSTDIR"
    IntOp $R6 $R6 * 2
    IntPtrOp $R7 $R5 + $R6 ; what comes behind it
    ${If} $R5 <> $R0 ; the ";" before it goes too
      IntPtrOp $R5 $R5 - 2
    ${Else}
      System::Call '*$R7(&i2 .R8)'
      ${If} $R8 <> 0
        IntPtrOp $R7 $R7 + 2
      ${EndIf}
    ${EndIf}
    System::Call 'kernel32::lstrlenW(p R7) i .R4'
    IntOp $R4 $R4 + 1
    IntOp $R4 $R4 * 2
    System::Call 'ntdll::memmove(p R5, p R7, p R4) ? c'
  ${EndIf}
  Call un.ClosePath
FunctionEnd

Function .onInit
  SetShellVarContext current
  ${IfNot} ${RunningX64}
  ${OrIfNot} ${AtLeastWin10}
    MessageBox MB_OK|MB_ICONSTOP "$(TooOld)" /SD IDOK
    SetErrorLevel 3
    Quit
  ${EndIf}
  ${IfNot} ${AtLeastBuild} 17763
    MessageBox MB_OK|MB_ICONSTOP "$(TooOld)" /SD IDOK
    SetErrorLevel 3
    Quit
  ${EndIf}
FunctionEnd

Section
  Call CloseProgram
  Pop $0
  ${If} $0 != ""
    SetErrorLevel 4
    Abort
  ${EndIf}
  ; The previous version goes as a whole, for what it alone had would be found by the new one; only where it is ours.
  ${If} ${FileExists} "$INSTDIR\${PROGRAM}"
  ${AndIf} ${FileExists} "$INSTDIR\_internal\*.*"
    ClearErrors
    RMDir /r "$INSTDIR\_internal.old"
    Rename "$INSTDIR\_internal" "$INSTDIR\_internal.old"
    ${If} ${Errors}
      MessageBox MB_OK|MB_ICONSTOP "$(NotReplaced)" /SD IDOK
      SetErrorLevel 5
      Abort
    ${EndIf}
    RMDir /r "$INSTDIR\licenses"
  ${EndIf}
  !include "${FILES}"
  RMDir /r "$INSTDIR\_internal.old"
  SetOutPath "$INSTDIR"
  WriteUninstaller "$INSTDIR\uninstall.exe"
  CreateShortcut "${START_MENU}" "$INSTDIR\${WINDOW}" "" "$INSTDIR\${WINDOW}" 0 SW_SHOWNORMAL "" "$(About)"
  WriteRegStr HKCU "Software\Liangli" "Folder" "$INSTDIR"

  ; Model files: ours among those that open them, and the one that does if there was none.
  WriteRegStr HKCU "${CLASSES}\Liangli.gguf" "" "$(ModelFile)"
  WriteRegStr HKCU "${CLASSES}\Liangli.gguf\DefaultIcon" "" "$INSTDIR\${WINDOW},0"
  WriteRegStr HKCU "${CLASSES}\Liangli.gguf\shell\open" "" "$(OpenWith)"
  WriteRegStr HKCU "${CLASSES}\Liangli.gguf\shell\open\command" "" '"$INSTDIR\${WINDOW}" "%1"'
  WriteRegStr HKCU "${CLASSES}\.gguf\OpenWithProgids" "Liangli.gguf" ""
  ReadRegStr $0 HKCU "${CLASSES}\.gguf" ""
  ${If} $0 == ""
    WriteRegStr HKCU "${CLASSES}\.gguf" "" "Liangli.gguf"
  ${EndIf}
  WriteRegStr HKCU "${CLASSES}\liangli" "" "URL:Liangli"
  WriteRegStr HKCU "${CLASSES}\liangli" "URL Protocol" ""
  WriteRegStr HKCU "${CLASSES}\liangli\DefaultIcon" "" "$INSTDIR\${WINDOW},0"
  WriteRegStr HKCU "${CLASSES}\liangli\shell\open\command" "" '"$INSTDIR\${WINDOW}" "%1"'
  ; What Windows' settings list under "default apps".
  WriteRegStr HKCU "Software\Liangli\Capabilities" "ApplicationName" "$(AppName)"
  WriteRegStr HKCU "Software\Liangli\Capabilities" "ApplicationDescription" "$(About)"
  WriteRegStr HKCU "Software\Liangli\Capabilities\FileAssociations" ".gguf" "Liangli.gguf"
  WriteRegStr HKCU "Software\Liangli\Capabilities\UrlAssociations" "liangli" "liangli"
  WriteRegStr HKCU "Software\RegisteredApplications" "Liangli" "Software\Liangli\Capabilities"
  WriteRegStr HKCU "Software\Microsoft\Windows\CurrentVersion\App Paths\${PROGRAM}" "" "$INSTDIR\${PROGRAM}"
  Call AddToPath

  WriteRegStr HKCU "${UNINSTALL}" "DisplayName" "$(AppName)"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayIcon" "$INSTDIR\${WINDOW},0"
  WriteRegStr HKCU "${UNINSTALL}" "Publisher" "Liangli"
  WriteRegStr HKCU "${UNINSTALL}" "InstallLocation" "$INSTDIR"
  WriteRegStr HKCU "${UNINSTALL}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKCU "${UNINSTALL}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD HKCU "${UNINSTALL}" "EstimatedSize" ${SIZE_KIB}
  WriteRegDWORD HKCU "${UNINSTALL}" "NoModify" 1
  WriteRegDWORD HKCU "${UNINSTALL}" "NoRepair" 1
  ${RefreshShellIcons}
SectionEnd

Function un.onInit
  SetShellVarContext current
  StrCpy $RemoveModels 0
  StrCpy $RemoveChats 0
  StrCpy $Data "$LOCALAPPDATA\liangli"
  ; Beside the program, where it was told to keep everything there.
  ${If} ${FileExists} "$INSTDIR\data\*.*"
  ${OrIf} ${FileExists} "$INSTDIR\portable"
    StrCpy $Data "$INSTDIR\data"
  ${EndIf}
  ReadEnvStr $0 LIANGLI_HOME
  ${If} $0 != ""
    StrCpy $Data ""
  ${EndIf}
FunctionEnd

Function un.AskAboutData
  !insertmacro MUI_HEADER_TEXT "$(DataTitle)" "$(DataSubtitle)"
  nsDialogs::Create 1018
  Pop $0
  ${If} $Data == ""
    ${NSD_CreateLabel} 0 0 100% 24u "$(DataElsewhere)"
    Pop $0
  ${Else}
    StrCpy $2 0
    ${If} ${FileExists} "$Data\models\*.*"
      ${GetSize} "$Data\models" "/S=0M" $2 $3 $4
    ${EndIf}
    ${NSD_CreateLabel} 0 0 100% 24u "$(DataPlace)$Data"
    Pop $0
    ${NSD_CreateCheckbox} 0 32u 100% 12u "$(RemoveModels)"
    Pop $ModelsBox
    ${NSD_CreateCheckbox} 0 50u 100% 12u "$(RemoveChats)"
    Pop $ChatsBox
  ${EndIf}
  nsDialogs::Show
FunctionEnd

Function un.TakeAnswers
  ${If} $Data != ""
    ${NSD_GetState} $ModelsBox $RemoveModels
    ${NSD_GetState} $ChatsBox $RemoveChats
  ${EndIf}
FunctionEnd

; All in the data folder but the models.
Function un.RemoveChatsFromData
  FindFirst $0 $1 "$Data\*.*"
next:
  StrCmp $1 "" done
  StrCmp $1 "." skip
  StrCmp $1 ".." skip
  StrCmp $1 "models" skip
  ${If} ${FileExists} "$Data\$1\*.*"
    RMDir /r "$Data\$1"
  ${Else}
    Delete "$Data\$1"
  ${EndIf}
skip:
  FindNext $0 $1
  Goto next
done:
  FindClose $0
FunctionEnd

Section Uninstall
  Call un.CloseProgram
  Pop $0
  ${If} $0 != ""
    SetErrorLevel 4
    Abort
  ${EndIf}
  ${If} $RemoveModels = 1
    RMDir /r "$Data\models"
  ${EndIf}
  ${If} $RemoveChats = 1
    Call un.RemoveChatsFromData
  ${EndIf}
  ${If} $Data != ""
    RMDir "$Data" ; only if it is empty
  ${EndIf}
  ; Nothing but what was installed: the folder may hold the user's own things.
  RMDir /r "$INSTDIR\_internal"
  RMDir /r "$INSTDIR\_internal.old"
  RMDir /r "$INSTDIR\licenses"
  Delete "$INSTDIR\${PROGRAM}"
  Delete "$INSTDIR\${WINDOW}"
  Delete "$INSTDIR\THIRD-PARTY-NOTICES.txt"
  Delete "$INSTDIR\sbom.cdx.json"
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"
  Delete "${START_MENU}"
  Call un.RemoveFromPath
  ReadRegStr $0 HKCU "${CLASSES}\.gguf" ""
  ${If} $0 == "Liangli.gguf"
    DeleteRegValue HKCU "${CLASSES}\.gguf" ""
  ${EndIf}
  DeleteRegValue HKCU "${CLASSES}\.gguf\OpenWithProgids" "Liangli.gguf"
  DeleteRegKey /ifempty HKCU "${CLASSES}\.gguf\OpenWithProgids"
  DeleteRegKey /ifempty HKCU "${CLASSES}\.gguf"
  DeleteRegKey HKCU "${CLASSES}\Liangli.gguf"
  DeleteRegKey HKCU "${CLASSES}\liangli"
  DeleteRegValue HKCU "Software\RegisteredApplications" "Liangli"
  DeleteRegKey HKCU "Software\Microsoft\Windows\CurrentVersion\App Paths\${PROGRAM}"
  DeleteRegKey HKCU "Software\Liangli"
  DeleteRegKey HKCU "${UNINSTALL}"
  ${RefreshShellIcons}
SectionEnd
