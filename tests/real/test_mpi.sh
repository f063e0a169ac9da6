#!/bin/bash
# test_mpi.sh - MPI jobs under the shim: the unmodified mpiexec of MPICH and mpirun of Open MPI.
#
# What a job leaves behind is looked for in namespaces of its own, if there can be some.
# FAULT_ROUNDS is how often a job is repeated (3).
# shellcheck source-path=SCRIPTDIR disable=SC2317 # functions are called through check()
if [ -z "${MPI_APART-}" ]; then
	apart=(unshare --mount --ipc)
	[ "$(id -u)" = 0 ] || apart+=(--user --map-root-user)
	if "${apart[@]}" mount -t tmpfs tmpfs /dev/shm 2>/dev/null; then
		MPI_APART=1 exec "${apart[@]}" "$0" "$@"
	fi
	MPI_APART=0
fi
. "$(dirname "$0")/real.sh"
. "$(dirname "$0")/shim.sh"

[ "$MPI_APART" = 0 ] || mount -t tmpfs tmpfs /dev/shm || exit 1
rounds=${FAULT_ROUNDS:-3}
tmp=$dir/tmp # for session directories
mkdir "$tmp"
export TMPDIR=$tmp MPI_JOB_VALUE=outside
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
export OMP_NUM_THREADS=1
unset "${!PMI_@}" "${!PMIX_@}" "${!HYDRA_@}" "${!SLURM_@}"
unordered=1

# PIDs, and the names that contain them.
plain() {
	sed -E -e 's/\<PID [0-9]+/PID N/g' -e 's/process id [0-9]+/process id N/g' \
		-e 's/\[([^]]*):[0-9]+\]/[\1:N]/g' -e 's/^\[[0-9]+\]/[N]/' \
		-e 's/\[\[[0-9]+,/[[N,/g'
}

# ---- What a job leaves behind ---------------------------------------------------------------

# jobs ID - processes whose environment has that mark; a task's is its launcher's.
processes() {
	grep -laZ "MPI_JOB_ID=$1" /proc/[0-9]*/environ 2>/dev/null |
		tr '\0' '\n' | cut -d/ -f3
}

# remains ID - how much of each kind, once nothing changes any more; and takes it away.
remains() {
	local waited=0 left pid shared=0 segments=0
	while left=$(processes "$1") && [ -n "$left" ] && [ "$waited" -lt 60 ]; do
		waited=$((waited + 1))
		sleep 0.05
	done
	if [ "$MPI_APART" = 1 ]; then
		shared=$(find /dev/shm -type f | wc -l)
		# A process has no environment any more while its memory is being given back.
		for ((waited = 0; waited < 20; waited++)); do
			segments=$(tail -n +2 /proc/sysvipc/shm | wc -l)
			[ "$segments" != 0 ] || break
			sleep 0.05
		done
	fi
	echo "$(wc -w <<<"$left") $segments $shared $(find "$tmp" -type f | wc -l)"
	for pid in $left; do
		kill -KILL "$pid"
	done
	find "$tmp" -mindepth 1 -delete
	if [ "$MPI_APART" = 1 ]; then
		find /dev/shm -type f -delete
		awk 'NR > 1 { print $2 }' /proc/sysvipc/shm | xargs -r -n1 ipcrm -m
	fi
}

# no_more NATIVE SHIM - two such lines.
no_more() {
	local native shim i what=(processes "SysV segments" "files in /dev/shm" "temporary files")
	read -ra native <<<"$1"
	read -ra shim <<<"$2"
	for i in 0 1 2 3; do
		if [ "${shim[i]}" -gt "${native[i]}" ]; then
			echo "left: natively ${native[i]} ${what[i]}, ${shim[i]} under the shim"
			return 1
		fi
	done
}

job=0

# killed_one SIGNAL WHO [NAME=VALUE] - starts a job, ends it, prints its status and what remains.
killed_one() {
	local launcher who status waited=0
	job=$((job + 1))
	rm -rf "$dir/ranks"
	mkdir "$dir/ranks"
	env --default-signal=INT,QUIT,TERM MPI_JOB_ID="$$-$job." ${3:+"$3"} \
		"${mpiexec[@]}" -n 4 "$program" wait "$dir/ranks" </dev/null >"$dir/out" 2>&1 &
	launcher=$!
	until [ -s "$dir/ranks/0" ] && [ -s "$dir/ranks/1" ] && [ -s "$dir/ranks/2" ] &&
		[ -s "$dir/ranks/3" ]; do
		waited=$((waited + 1))
		if [ "$waited" -gt 600 ] || ! kill -0 "$launcher"; then
			cat "$dir/out"
			kill -KILL "$launcher"
			return 1
		fi
		sleep 0.05
	done
	who=$launcher
	[ "$2" = launcher ] || who=$(cat "$dir/ranks/$2")
	kill "-$1" "$who"
	# It must end by itself.
	for ((waited = 0; waited < 400; waited++)); do
		kill -0 "$launcher" 2>/dev/null || break
		sleep 0.05
	done
	kill -KILL "$launcher" 2>/dev/null && echo "it did not end" >&2
	wait "$launcher" 2>/dev/null
	status=$?
	echo "$status $(remains "$$-$job.")"
}

# killed SIGNAL WHO - Hydra's exit status depends on what it hears of first; hence the tries.
killed() {
	local native shim try
	for try in 1 2 3 4 5; do
		if ! native=$(killed_one "$1" "$2") ||
			! shim=$(killed_one "$1" "$2" "LD_PRELOAD=$PIP_PRELOAD"); then
			echo "no job: $native $shim"
			return 1
		fi
		echo "try $try: natively $native, under the shim $shim"
		no_more "${native#* }" "${shim#* }" || return 1
		[ "${native%% *}" != "${shim%% *}" ] || return 0
	done
	return 1
}

# ---- Jobs -----------------------------------------------------------------------------------

# MPI jobs that only one address space makes possible.
pointers() {
	local i
	job=$((job + 1))
	for ((i = 0; i < rounds; i++)); do
		shimmed env MPI_JOB_ID="$$-$job." "${mpiexec[@]}" -n 4 "$program" pointers \
			>out 2>err </dev/null || {
			echo "round $i: status $?"
			cat out err
			return 1
		}
		sort out | diff - <(printf 'rank 0 reads 100%s of rank %s\n' 1 1 2 2 3 3) ||
			return 1
		[ ! -s err ] || {
			cat err
			return 1
		}
	done
	no_more "0 0 0 0" "$(remains "$$-$job.")"
}

# A batch job: a script that starts a script that starts the MPI job.
batch() {
	cat >job.sh <<-END
		#!/bin/bash
		set -e
		export MPI_JOB_VALUE="from the batch job"
		step() { bash ./step.sh "\$@" | sort; }
		step who one "two three"
		ulimit -c 0; (cd / && pwd)
		[ "\$(step work 4096 | wc -l)" = 1 ] && echo worked
		step exit 1 7 || echo "status \$?"
		echo done
	END
	cat >step.sh <<-END
		echo "step \$1"
		exec ${mpiexec[*]} -n 4 $program "\$@"
	END
	chmod +x job.sh
}

batch_pointers() {
	shimmed ./job.sh >out 2>err </dev/null && shimmed bash -c \
		"x=\$(bash ./step.sh pointers); echo \"\$x\"; exit 0" >out 2>err </dev/null
	cat out err
	grep -q 'reads 1003 of rank 3' out
}

# What Open MPI says of it depends on who is faster.
aborted() {
	shimmed "${mpiexec[@]}" -n 4 "$program" abort 1 6 </dev/null
	[ $? = 6 ]
}

aware() {
	shimmed "${mpiexec[@]}" -n 4 "$1" </dev/null >out 2>err
	local status=$?
	cat out err
	[ "$status" = 0 ] && [ "$(cat out)" = "4 ranks have met" ]
}

# Where processes must not read each other's memory, tasks still copy once.  Without the shim Open
# MPI prints "Read -1, expected N, errno = 1" there, without end.
sandboxed() {
	"${mpiexec[@]}" -n 4 "$program" work 1048576 >native.out 2>&1 </dev/null || return 1
	timeout -k 5 "$limit" "$PROGRAMS/sandbox" env LD_PRELOAD="$PIP_PRELOAD" \
		"${mpiexec[@]}" -n 4 "$program" work 1048576 >shim.out 2>&1 </dev/null || return 1
	equal output native.out shim.out
}

melt() {
	cat >in.melt <<-END
		units lj
		atom_style atomic
		lattice fcc 0.8442
		region box block 0 4 0 4 0 4
		create_box 1 box
		create_atoms 1 box
		mass 1 1.0
		velocity all create 3.0 87287
		pair_style lj/cut 2.5
		pair_coeff 1 1 1.0 1.0 2.5
		neighbor 0.3 bin
		neigh_modify every 20 delay 0 check no
		fix 1 all nve
		thermo 10
		run 50
	END
	"${mpiexec[@]}" -n "$1" lmp -log none -in in.melt >native.out 2>&1 </dev/null &&
		shimmed "${mpiexec[@]}" -n "$1" lmp -log none -in in.melt >shim.out 2>&1 </dev/null
	local status=$?
	cat shim.out
	sed -n '/^Step/,/^Loop/p' native.out | sed '$d' >native.thermo
	sed -n '/^Step/,/^Loop/p' shim.out | sed '$d' >shim.thermo
	[ "$status" = 0 ] && [ "$(wc -l <native.thermo)" = 7 ] &&
		equal thermo native.thermo shim.thermo
}

# More than that in one piece makes either launcher fail natively, now and then.
seq -f 'line %g of the input' 100 >input

# jobs_of NAME SUFFIX LAUNCHER...
jobs_of() {
	local name=$1 program=$PROGRAMS/mpi_job.$2 mpiexec
	shift 2
	mpiexec=("$@")
	if ! type -P "$1" >/dev/null || ! [ -x "$program" ]; then
		skip "$name" "not installed"
		return
	fi
	is_pie "$(type -P "$1")" || {
		skip "$name" "$1 is not position independent on this system"
		return
	}
	check "$name: all ranks' variables through plain pointers" pointers
	alike "$name: messages" "$@" -n 4 "$program" work
	alike "$name: what ranks are given" "$@" -n 3 "$program" who "a b" c
	stdin=$PWD/input alike "$name: standard input" "$@" -n 2 "$program" stdin
	alike "$name: MPMD" "$@" -n 2 "$program" who first : -n 1 env MPI_JOB_VALUE=mine \
		"$program" who second
	# shellcheck disable=SC2016 # it is the ranks' $0
	alike "$name: programs that do not know of MPI" "$@" -n 2 sh -c 'echo "$0 $#"' x y
	alike "$name: one rank fails" "$@" -n 4 "$program" exit 2 5
	check "$name: MPI_Abort" aborted
	alike "$name: no such program" "$@" -n 1 "$PWD/none"
	batch
	alike "$name: in a batch job" ./job.sh
	check "$name: pointers in a batch job" batch_pointers
	check "$name: ranks that know of PiP" "aware_$name"
	for signal in INT TERM KILL; do
		check "$name: SIG$signal for the launcher" "killed_$signal"
	done
	check "$name: SIGKILL for a rank" killed_rank
	check "$name: in a sandbox" sandboxed
}
killed_INT() { killed INT launcher; }
killed_TERM() { killed TERM launcher; }
killed_KILL() { killed KILL launcher; }
killed_rank() { killed KILL 2; }
aware_MPICH() { aware "$PROGRAMS/mpi_aware.mpich"; }
aware_OpenMPI() { aware "$PROGRAMS/mpi_aware.ompi"; }

jobs_of MPICH mpich mpiexec.mpich
if type -P mpiexec.hydra >/dev/null && [ -x "$PROGRAMS/mpi_job.mpich" ]; then
	alike "MPICH: -ppn, -env, -wdir" mpiexec.hydra -ppn 4 -env MPI_JOB_VALUE given -wdir / \
		-n 4 "$PROGRAMS/mpi_job.mpich" who
fi
jobs_of OpenMPI ompi mpirun.openmpi

if usable "LAMMPS" lmp; then
	mpiexec=(mpirun.openmpi)
	melt_4() { melt 4; }
	check "LAMMPS: same thermodynamic output, 4 ranks" melt_4
fi
finish
