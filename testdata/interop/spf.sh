# usage: spf.sh IP SENDER HELO [IP SENDER HELO]...
#
# What libspf2 makes of each: a line with the result.
while [ $# -gt 0 ]; do
  result=$(spfquery.libspf2 -ip="$1" -sender="$2" -helo="$3" 2>/dev/null | sed '/^StartError$/,/^EndError$/d' | head -n 1)
  echo "${result:-nothing}"
  shift 3
done
