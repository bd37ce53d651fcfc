# Completion of multisnmp for bash 4 and later, with or without the package bash-completion.
# shellcheck shell=bash
#
# The program itself says what could stand at the cursor (--complete; the protocol is at the head of
# src/cli/options_complete.c). Left to do is bash's own part: taking the line apart, and giving back only what readline
# is going to replace, which begins behind the last '=' or ':'.

# Text becomes `words` without their quotes, the one at the cursor last; `quote` is the quote that is open there.
_multisnmp_words() {
	local text=$1 word='' quoted='' c i
	words=() quote=''
	for ((i = 0; i < ${#text}; i++)); do
		c=${text:i:1}
		if [[ -n $quote && $c == "$quote" ]]; then
			quote=''
		elif [[ $quote == '"' && $c == '\' && ${text:i+1:1} == [\"\\\$\`] ]]; then
			word+=${text: ++i:1}
		elif [[ -n $quote ]]; then
			word+=$c
		elif [[ $c == '\' ]]; then
			word+=${text: ++i:1}
		elif [[ $c == [\'\"] ]]; then
			quote=$c quoted=yes
		elif [[ $c != [[:space:]] ]]; then
			word+=$c
		elif [[ -n $word$quoted ]]; then
			words+=("$word")
			word='' quoted=''
		fi
	done
	words+=("$word")
}

_multisnmp_files() { # KIND PREFIX TAIL
	local action=-f path i
	[[ $1 == files ]] || action=-d
	path=${3#"$2"}
	[[ -n $quote ]] || printf -v path %q "$path" # compgen reads it as readline does, and knows '~'
	mapfile -t COMPREPLY < <(compgen "$action" -- "${path/#\\~/\~}")
	if [[ -z $2 ]]; then
		compopt -o filenames
		return
	fi
	compopt -o nospace # readline sees no file behind the prefix
	for i in "${!COMPREPLY[@]}"; do
		path=${COMPREPLY[i]}
		[[ ! -d $path ]] || path+=/
		[[ -n $quote ]] || printf -v path %q "$path"
		COMPREPLY[i]=$2$path
	done
}

_multisnmp() { # PROGRAM TAIL: what readline replaces
	local program=${1/#\~\//$HOME/} words quote asked tail lines kind before cut i
	COMPREPLY=()
	_multisnmp_words "$2"
	tail=${words[-1]}
	_multisnmp_words "${COMP_LINE:0:COMP_POINT}"
	asked=("${words[@]:1}")
	[[ -z $quote ]] || tail=${2#"$quote"} # as it stands
	mapfile -t lines < <(builtin printf '%s\0' "${asked[@]}" | "$program" --complete 2>/dev/null)
	[[ ${#lines[@]} -gt 0 ]] || return
	kind=${lines[0]%%$'\t'*} before=${lines[0]#*$'\t'}
	unset 'lines[0]'
	# of the word, so much stays before what is replaced
	printf -v cut '%*s' $((${#words[-1]} - ${#tail})) ''
	cut=${cut// /?}
	# shellcheck disable=SC2295 # a pattern is wanted
	if [[ $kind == files || $kind == folders ]]; then
		_multisnmp_files "$kind" "${before#$cut}" "$tail"
		return
	fi
	COMPREPLY=("${lines[@]%%$'\t'*}")
	# shellcheck disable=SC2295
	COMPREPLY=("${COMPREPLY[@]#$cut}")
	if [[ $kind == hosts && -n $tail ]]; then
		mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -A hostname -- "$tail")
	fi
	if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=.,] ]]; then
		compopt -o nospace
	fi
	[[ -z $quote ]] || return 0
	for i in "${!COMPREPLY[@]}"; do
		[[ ${COMPREPLY[i]} != *[!A-Za-z0-9_.,:=/%+@-]* ]] || printf -v "COMPREPLY[i]" %q "${COMPREPLY[i]}"
	done
}

((BASH_VERSINFO[0] < 4)) || complete -F _multisnmp multisnmp
