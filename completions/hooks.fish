# fish completion for hooks. The program itself answers, so ids and events are the registry's.

function __hooks_answers
    # Without the quotes, which are the shell's own.
    set --local current (commandline --current-token --cut-at-cursor | string replace --all --regex '[\'"\\\\]' '')
    HOOKS_COMPLETE=fish hooks -- (commandline --current-process --tokenize --cut-at-cursor) "$current" 2>/dev/null
end

complete --command hooks --keep-order --no-files --arguments '(__hooks_answers)'
