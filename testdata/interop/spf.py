# usage: spf.py IP SENDER HELO [IP SENDER HELO]...
#
# What pyspf makes of each: a line with the result.
import sys

import spf

for i in range(1, len(sys.argv), 3):
    ip, sender, helo = sys.argv[i : i + 3]
    print(spf.check2(i=ip, s=sender, h=helo)[0].lower())
