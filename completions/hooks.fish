complete --keep-order --exclusive --command hooks --arguments "(HOOKS_COMPLETE=fish hooks -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token))"
