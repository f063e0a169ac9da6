#!/bin/bash
# test_completion.sh - what bash completes on the command lines of the commands.
# shellcheck source=tests/tools/tools.sh
. "${BASH_SOURCE%/*}/tools.sh"
: "${COMPLETION:?}"
# shellcheck source=tools/pip-completion.bash
. "$COMPLETION"
command=completion

# completes FUNCTION WORD...: the last one is to be completed.
completes() {
	local function=$1
	shift
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
	"$function" 2>"$err"
	printf '%s\n' "${COMPREPLY[@]}" | sort >"$out"
	[ ! -s "$err" ] || complain "it says something"
}

# offers COMMAND WORD...
offers() {
	local function word want=$1
	shift
	function=$(complete -p "$1" | sed 's/.*-F \([a-z_]*\) .*/\1/')
	completes "$function" "$@"
	for word in $want; do
		grep -qxFe "$word" "$out" || complain "'$word' is not offered for: $*"
	done
}

words() {
	case_begin "options"
	offers "-n -f -c -d --help" pip-exec -
	offers "--help" pip-exec --h
	[ "$(wc -l <"$out")" = 1 ] || complain "more than --help"
	offers "-r -t -b -v --ldso" pip-check -
	offers "-L -C -T --pthread" pip-mode -
	offers "--piproot --cflags -c" pipcc -
	offers "--piproot" pipfc --pipr
	offers "-c" pip-unpie -
	offers "-f -k --json --signal" pips x -

	case_begin "what options want"
	offers "SIGTERM SIGKILL" pips x -s ""
	offers "SIGTERM" pips x --signal TE
	offers "P L C G T" pips x -m ""
	offers "asis" pip-exec -c ""
	offers "SIGUSR1 SIGUSR2" pip-tgkill SIGUS
	offers "$$" pip-tgkill TERM $$
	offers "a u x" pips ""
}

programs() {
	mkdir "$dir/bin"
	printf '#!/bin/sh\n' >"$dir/bin/unheard-of-program"
	chmod +x "$dir/bin/unheard-of-program"
	touch "$dir/unheard-of-file"
	cd "$dir" || exit
	PATH=$dir/bin:$PATH
	case_begin "a program, then files"
	offers "unheard-of-program" pip-exec unheard
	offers "unheard-of-program" pip-exec -n 4 unheard
	offers "unheard-of-file" pip-exec -n 4 ls unheard
	offers "unheard-of-program" pip-exec ls : unheard
	offers "unheard-of-program" pip-mode -C unheard
	offers "unheard-of-file" pip-mode -C ls unheard
	offers "bin/unheard-of-program" pip-exec bin/un
	offers "unheard-of-file" pip-check unheard
	offers "unheard-of-file" pipcc unheard
	offers "unheard-of-file" pip-unpie unheard
}

words
programs
finish
