# Completion of multisnmp for fish. The program itself says what could stand at the cursor (--complete; the protocol
# is at the head of src/cli/options_complete.c).

# A line that tells the kind of candidates and what stands before a file's name, then the candidates.
function __multisnmp_ask
    set -l before (commandline -opc)
    set -l program $before[1]
    set -l word (commandline -ct)
    set -l unquoted (string unescape -- $word)
    and set word $unquoted
    set -e before[1]
    printf '%s\0' $before "$word" | $program --complete 2>/dev/null
end

# Files alone are best left to fish: it knows '~' and variables.
function __multisnmp_wants_files
    set -l answer (__multisnmp_ask)
    test "$answer[1]" = files\t
end

function __multisnmp_complete
    set -l answer (__multisnmp_ask)
    set -l first (string split \t -- $answer[1])
    set -l word (commandline -ct)
    set -l rest (string sub -s (math (string length -- "$first[2]") + 1) -- "$word")
    set -e answer[1]
    switch "$first[1]"
        case files
            test -n "$first[2]"
            and for path in (__fish_complete_path "$rest")
                echo -- "$first[2]$path"
            end
        case folders
            for path in (__fish_complete_directories "$rest")
                echo -- "$first[2]$path"
            end
        case hosts
            string join \n -- $answer
            __fish_print_hostnames
        case '*'
            string join \n -- $answer
    end
end

complete -c multisnmp -f -a '(__multisnmp_complete)'
complete -c multisnmp -F -n __multisnmp_wants_files
