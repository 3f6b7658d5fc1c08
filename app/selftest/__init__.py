"""`liangli --selftest`: whether the installed program works on this computer, in a report that may be passed on."""
