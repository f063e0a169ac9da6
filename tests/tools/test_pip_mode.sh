#!/bin/bash
# test_pip_mode.sh - pip-mode and printpipmode.
# shellcheck source=tests/tools/tools.sh
. "${BASH_SOURCE%/*}/tools.sh"
mode=$TOOLS/pip-mode

# A command that shows what it was given.
# shellcheck disable=SC2016
show=(sh -c 'echo "${PIP_MODE-unset} ${LD_PRELOAD##*/}"; exit 7')

options() {
	local words want word
	while read -r want words; do
		for word in $words; do
			case_begin "pip-mode $word"
			run "$mode" "$word"
			is 0
			says "$out" "PIP_MODE=$want"
			run "$mode" "$word" "${show[@]}"
			is 7
			if [ "$want" = process:preload ]; then
				says "$out" "process:preload libpip-preload.so"
			else
				says "$out" "$want "
			fi
			says "$err" ""
		done
	done <<'END'
process -p -P --process
process:preload -l -L --process:preload
process:pipclone -c -C --process:pipclone
process:got -g -G --process:got
pthread -t -T --thread --pthread
END
}

no_option() {
	case_begin "pip-mode without a mode runs the command in the one there is"
	run "$mode" "${show[@]}"
	is 7
	says "$out" "unset "
	PIP_MODE=process run "$mode" "${show[@]}"
	says "$out" "process "

	case_begin "pip-mode alone tells the mode of a root"
	run "$mode"
	is 0
	says "$out" "process:pipclone"

	case_begin "pip-mode -- COMMAND"
	run "$mode" -C -- "${show[@]}"
	is 7
	says "$out" "process:pipclone "
}

# The path is to be found whatever the link is called by, and added once.
preloads() {
	local library
	case_begin "the library to preload is found and added, once"
	ln -s "$mode" "$dir/a-link"
	# shellcheck disable=SC2016
	run "$dir/a-link" -L sh -c 'echo "$LD_PRELOAD"'
	is 0
	library=$(cat "$out")
	[ -f "$library" ] || complain "there is no '$library'"
	# shellcheck disable=SC2016
	LD_PRELOAD=libc.so.6 run "$mode" -L sh -c 'echo "$LD_PRELOAD"'
	says "$out" "$library:libc.so.6"
	# shellcheck disable=SC2016
	LD_PRELOAD=libc.so.6:$library run "$mode" -L sh -c 'echo "$LD_PRELOAD"'
	says "$out" "libc.so.6:$library"

	case_begin "no library to preload: one message"
	cp "$mode" "$dir/alone"
	run "$dir/alone" -L true
	is 1
	matches "$err" "^pip-mode: process:preload needs libpip-preload.so, which is not in '"
	[ "$(wc -l <"$err")" = 1 ] || complain "more than one line"

	case_begin "a library that ld.so cannot preload: one message"
	mkdir -p "$dir/two words/tools" "$dir/two words/preload"
	cp "$mode" "$dir/two words/tools"
	touch "$dir/two words/preload/libpip-preload.so"
	run "$dir/two words/tools/pip-mode" -L true
	is 1
	matches "$err" "cannot be preloaded"
}

errors() {
	local word
	for word in -u --usage -h --help; do
		case_begin "pip-mode $word"
		run "$mode" $word
		is 2
		says "$out" ""
		matches "$err" '^Usage: pip-mode '
	done

	case_begin "pip-mode: an option that there is not"
	run "$mode" -x true
	is 1
	says "$err" "pip-mode: Unknown option '-x'"
	run "$mode" -C --what true
	is 1
	says "$err" "pip-mode: Unknown option '--what'"

	case_begin "pip-mode: two modes"
	run "$mode" -C -P true
	is 1
	says "$err" "pip-mode: '-P': one mode is enough"

	case_begin "pip-mode: a command that there is not"
	run "$mode" -C "$dir/there-is-no-such-command"
	is 127
}

# As scripts find out which modes there are.
prints() {
	local option name
	while read -r option name; do
		case_begin "printpipmode under $option"
		run "$mode" "$option" "$TOOLS/printpipmode"
		if [ "$status" = 0 ]; then
			says "$out" "$name"
		else
			# Not there: the code and the message are those of EPERM.
			is 1
			says "$out" ""
			matches "$err" '^pip_init\(\) fails \(Operation not permitted\)$'
			[ "$option" = -T ] || complain "this mode must be there"
		fi
	done <<'END'
-L process:preload
-C process:pipclone
-T pthread
END
	case_begin "printpipmode in a mode that there is not"
	PIP_MODE=rubbish run "$TOOLS/printpipmode"
	is 1
	says "$out" ""
	matches "$err" '^pip_init\(\) fails \(Operation not permitted\)$'

	case_begin "printpipmode takes no argument"
	run "$TOOLS/printpipmode" -x
	is 2
	matches "$err" '^Usage: '

	case_begin "printpipmode cannot write"
	run sh -c '"$1" >/dev/full' sh "$TOOLS/printpipmode"
	is 1
}

options
no_option
preloads
errors
prints
finish
