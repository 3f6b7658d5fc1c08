@echo off
rem Sets up what is needed, once, and starts the app: run.cmd ARGUMENTS is liangli ARGUMENTS.
setlocal
call "%~dp0setup.cmd" run || exit /b 1
"%ROOT%\.venv\Scripts\liangli.exe" %*
exit /b %errorlevel%
