#!/usr/bin/env bash
# usage: assets.sh VERSION
#
# Writes what a release carries beside the program, made by the program itself,
# into release/: the completions of every shell and the manual page.
set -euo pipefail
cd "$(dirname "$0")/../.."

rm -rf release
mkdir -p release/completions
program=$(mktemp -d)
trap 'rm -rf "$program"' EXIT

# For this machine, whatever is being released.
GOOS='' GOARCH='' go build -trimpath -ldflags "-X main.version=$1" -o "$program/ehlo" .
"$program/ehlo" completion bash >release/completions/ehlo.bash
"$program/ehlo" completion zsh >release/completions/_ehlo
"$program/ehlo" completion fish >release/completions/ehlo.fish
"$program/ehlo" completion powershell >release/completions/ehlo.ps1
"$program/ehlo" man >release/ehlo.1
