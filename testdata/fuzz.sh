#!/usr/bin/env bash
# usage: testdata/fuzz.sh MINUTES|COUNTx [PATTERN]
#        testdata/fuzz.sh many [-w] COUNT [PATTERN]
#        testdata/fuzz.sh table FILE...
#
# Runs every fuzz target in turn: each for its share of MINUTES, or for COUNT
# executions. PATTERN, a regular expression on "PACKAGE TARGET", picks some of them:
# testdata/fuzz.sh 60 'dialog Fuzz(Reply|Offers|Dot)$'. It prints how often each
# ran. An input that fails is kept by go test in the package's testdata/fuzz, where it
# is a seed from then on; the script goes on, and ends with status 1.
#
# many takes the targets that use testdata/mutate, and runs the same property over
# COUNT seeded mutations of the target's seeds, and of what go test -fuzz has found so
# far, within one process: ten to a hundred times as fast. EHLO_MANY_SEED is the seed
# of the generator. -w writes what was run into the table of docs/reliability.md, as
# table does from what an earlier run printed.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit 2; }

# table FILE...: puts the lines of many into the table; a target's last line counts,
# and a target without one keeps its row.
table() {
  local page=docs/reliability.md new
  new=$(mktemp)
  {
    echo '| package | target | rounds | seconds | rounds a second |'
    echo '|---|---|--:|--:|--:|'
    {
      sed -n '/^<!-- fuzz -->$/,/^<!-- end -->$/p' "$page" | grep '| Fuzz' || true
      cat "$@" | awk '$5 ~ /^Fuzz/ {
        sub("^" module "/?", "", $4); if ($6 != "") $1 = "failed"
        printf "| %s | %s | %s | %s | %s |\n", $4, $5, $1, $2, $3 }' module="$(go list -m)"
    } | awk -F'|' '{ rows[$2 $3] = $0 } END { for (k in rows) print rows[k] }' | LC_ALL=C sort
  } >"$new"
  awk -v new="$new" '
    /^<!-- end -->$/ { inside = 0 }
    !inside { print }
    /^<!-- fuzz -->$/ { inside = 1; while ((getline line <new) > 0) print line }' "$page" >"$new.page"
  cat "$new.page" >"$page"
  rm -f "$new" "$new.page"
}

many='' write=''
case ${1-} in
  table) shift; [ $# -gt 0 ] || usage; table "$@"; exit ;;
  many)
    shift
    if [ "${1-}" = -w ]; then write=yes; shift; fi
    [[ ${1-} =~ ^[0-9]+$ ]] || usage
    many=$1 total='' ;;
  *[0-9]x) total='' each=$1 ;;
  *[0-9]) total=$1 ;;
  *) usage ;;
esac
pattern=${2-.}

targets=()
while read -r package directory; do
  for target in $(cat "$directory"/*_test.go 2>/dev/null | awk -v many="$many" '
    /^func Fuzz/ { name = $2; sub(/\(.*/, "", name); if (many == "") print name }
    /mutate\.For\(/ && many != "" { print name }'); do
    if [[ "$package $target" =~ $pattern ]]; then targets+=("$package $target"); fi
  done
done < <(go list -f '{{.ImportPath}} {{.Dir}}' ./...)
[ ${#targets[@]} -gt 0 ] || { echo 'no such fuzz target'; exit 2; }
[ -z "$total" ] || each=$((total * 60 / ${#targets[@]} + 1))s

failed=0
log=$(mktemp)
lines=$(mktemp)
trap 'rm -f "$log" "$lines"' EXIT

if [ -n "$many" ]; then
  cache=$(go env GOCACHE)/fuzz
  printf '%12s %9s %9s  %s\n' ROUNDS SECONDS 'A SECOND' TARGET
  for line in "${targets[@]}"; do
    read -r package target <<<"$line"
    result=
    GOGC=400 EHLO_MANY=$many EHLO_MANY_CORPUS=$cache/$package/$target \
      go test -run "^$target\$" -count=1 -timeout 0 -v "$package" >"$log" 2>&1 || result='  FAILED' failed=1
    read -r rounds seconds rate < <(sed -n 's/.*mutate: \([0-9]*\) rounds in \([0-9.]*\) s, \([0-9]*\) a second.*/\1 \2 \3/p' "$log") || true
    printf '%12s %9s %9s  %s%s\n' "${rounds:-0}" "${seconds:-0}" "${rate:-0}" "$line" "$result" | tee -a "$lines"
    [ -z "$result" ] || sed 's/^/    /' "$log" | cut -c1-2000 | tail -n 40
    rounds='' seconds='' rate=''
  done
  [ -z "$write" ] || table "$lines"
  exit $failed
fi

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
