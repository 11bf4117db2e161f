#!/usr/bin/env bash
# usage: testdata/fuzz.sh MINUTES|COUNTx [PATTERN]
#
# Runs every fuzz target in turn: each for its share of MINUTES, or for COUNT
# executions. PATTERN, a regular expression on "PACKAGE TARGET", picks some of them:
# testdata/fuzz.sh 20000000x 'dialog Fuzz(Reply|Offers|Dot)$'. It prints how often each
# ran. An input that fails is kept by go test in the package's testdata/fuzz, where it
# is a seed from then on; the script goes on, and ends with status 1.
set -euo pipefail
cd "$(dirname "$0")/.."

case ${1-} in
  *[0-9]x) total='' each=$1 ;;
  *[0-9]) total=$1 ;;
  *) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit 2 ;;
esac
pattern=${2-.}

targets=()
while read -r package directory; do
  for target in $(cat "$directory"/*_test.go 2>/dev/null | sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p'); do
    if [[ "$package $target" =~ $pattern ]]; then targets+=("$package $target"); fi
  done
done < <(go list -f '{{.ImportPath}} {{.Dir}}' ./...)
[ ${#targets[@]} -gt 0 ] || { echo 'no such fuzz target'; exit 2; }
[ -z "$total" ] || each=$((total * 60 / ${#targets[@]} + 1))s

failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
printf '%12s %8s  %s\n' EXECUTIONS SECONDS TARGET
for line in "${targets[@]}"; do
  read -r package target <<<"$line"
  began=$SECONDS result=
  # -fuzzminimizetime: else most of a short run makes inputs shorter that were only new.
  if ! go test -run '^$' -fuzz "^$target\$" -fuzztime "$each" -fuzzminimizetime 100x "$package" >"$log" 2>&1; then
    # The end of its own time is now and then taken for a failure.
    if grep -q 'Failing input' "$log" || ! grep -q 'context deadline exceeded' "$log"; then
      result='  FAILED' failed=1
    fi
  fi
  count=$(sed -n 's/.*execs: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
  printf '%12s %8d  %s%s\n' "${count:-0}" $((SECONDS - began)) "$line" "$result"
  [ -z "$result" ] || sed 's/^/    /' "$log" | tail -n 40
done
exit $failed
