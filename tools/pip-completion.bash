# shellcheck shell=bash
# Completion of Process-in-Process's commands for bash; bash-completion(8) loads it by the command's
# name, and it needs none of that package's functions.

# _pip_words WORD... - those that begin with the word to complete.
_pip_words() {
	mapfile -t COMPREPLY < <(compgen -W "$*" -- "${COMP_WORDS[COMP_CWORD]}")
}

_pip_files() {
	mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
	compopt -o filenames 2>/dev/null
}

# Programs along PATH, and files.
_pip_commands() {
	local word=${COMP_WORDS[COMP_CWORD]}
	case $word in
	*/*) _pip_files ;;
	*) mapfile -t COMPREPLY < <(compgen -c -- "$word" | sort -u) ;;
	esac
}

_pip_signals() {
	mapfile -t COMPREPLY < <(compgen -A signal -- "SIG${COMP_WORDS[COMP_CWORD]#SIG}" |
		grep -v -e RTM -e JUNK)
}

_pip_exec() {
	local i previous=${COMP_WORDS[COMP_CWORD - 1]} program=
	case $previous in
	-n | -f) return ;;
	-c)
		_pip_words asis
		return
		;;
	esac
	# Has this segment got its program?
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		: | ::) program= ;;
		-n | -f | -c) [ -n "$program" ] || i=$((i + 1)) ;;
		-*) ;;
		*) program=${COMP_WORDS[i]} ;;
		esac
	done
	if [ -n "$program" ]; then
		_pip_files
	elif [[ ${COMP_WORDS[COMP_CWORD]} == -* ]]; then
		_pip_words -n -f -c -d -h --help
	else
		_pip_commands
	fi
}

_pip_check() {
	case ${COMP_WORDS[COMP_CWORD]} in
	-*) _pip_words -r --root --piproot -t --task --piptask -b --both --pipboth -v --verbose \
		--ldlinux --ldso -h --usage --help ;;
	*) _pip_files ;;
	esac
}

_pip_mode() {
	if [[ ${COMP_WORDS[COMP_CWORD]} == -* ]] && [ "$COMP_CWORD" = 1 ]; then
		_pip_words -P --process -L --process:preload -C --process:pipclone \
			-G --process:got -T --thread --pthread -u --usage -h --help
	elif [[ ${COMP_WORDS[COMP_CWORD - 1]} == -* || $COMP_CWORD == 1 ]]; then
		_pip_commands
	else
		_pip_files
	fi
}

_pip_cc() {
	case ${COMP_WORDS[COMP_CWORD]} in
	-*) _pip_words --piproot --piptask --nopip --where --which --version --cflags --lflags \
		--ccopts --silent --dryrun --pipbuild --pipinstall -c -E -S -o ;;
	*) _pip_files ;;
	esac
}

_pip_pips() {
	case ${COMP_WORDS[COMP_CWORD - 1]} in
	-s | --signal)
		_pip_signals
		return
		;;
	-m | --mode)
		_pip_words P L C G T
		return
		;;
	esac
	case ${COMP_WORDS[COMP_CWORD]} in
	-*) _pip_words -r --root -t --task -f --family -d --descent -m --mode -k --kill \
		-s --signal -P --ps -T --top -v --verbose --json --debug -h --help ;;
	*) [ "$COMP_CWORD" != 1 ] || _pip_words a u x ax aux ;;
	esac
}

_pip_tgkill() {
	case $COMP_CWORD in
	1) _pip_signals ;;
	2 | 3) _pip_words "$(ps -eo pid=)" ;;
	esac
}

_pip_unpie() {
	case ${COMP_WORDS[COMP_CWORD]} in
	-*) _pip_words -c ;;
	*) _pip_files ;;
	esac
}

# The pages' names, of all sections.
_pip_man() {
	local command folder
	command=$(type -P "${COMP_WORDS[0]}") || return
	folder=$("$command" -w 2>/dev/null) || return
	folder=${folder%/man7/*}
	_pip_words "$(for page in "$folder"/man[137]/*; do
		page=${page##*/}
		page=${page%.gz}
		echo "${page%.[137]}"
	done)"
}

complete -F _pip_exec pip-exec
complete -F _pip_check pip-check
complete -F _pip_mode pip-mode
complete -F _pip_cc pipcc pipfc
complete -F _pip_pips pips
complete -F _pip_tgkill pip-tgkill
complete -F _pip_unpie pip-unpie
complete -F _pip_man pip-man
complete -W "" printpipmode
