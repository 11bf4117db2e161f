package cmd

import (
	"fmt"
	"strings"
)

func fishScript() string {
	quoted := func(text string) string {
		return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(text) + "'"
	}
	var b strings.Builder
	b.WriteString("# fish completion for ehlo: keep it as ~/.config/fish/completions/ehlo.fish\n\n" +
		"function __ehlo_at_files\n\tfor file in (__fish_complete_path (string replace -r '^@' '' -- (commandline -ct)))\n\t\techo @$file\n\tend\nend\n\n" +
		"complete -c ehlo -f\n")
	for _, c := range visible() {
		fmt.Fprintf(&b, "complete -c ehlo -n __fish_use_subcommand -a %s -d %s\n", c.name, quoted(c.about))
	}
	for i := range flagTable {
		f := &flagTable[i]
		line := "complete -c ehlo -n '__fish_seen_subcommand_from " + strings.Join(commandsWith(f), " ") + "'"
		if f.short != "" {
			line += " -s " + f.short
		}
		switch {
		case f.optional != "" && f.choices() != nil:
			line += " -f -a " + quoted(strings.Join(f.choices(), " "))
		case f.optional != "":
		case f.kind == isWord:
			line += " -x -a " + quoted(strings.Join(f.choices(), " "))
		case f.complete == files:
			line += " -r -F"
		case f.complete == dirs:
			line += " -x -a '(__fish_complete_directories)'"
		case f.complete == atFiles:
			line += " -x -a '(__ehlo_at_files)'"
		case f.takesValue():
			line += " -x"
		}
		for _, name := range f.offered() {
			if long, ok := strings.CutPrefix(name, "--"); ok {
				fmt.Fprintf(&b, "%s -l %s -d %s\n", line, long, quoted(f.offeredAs(name)))
			}
		}
	}
	for _, c := range visible() {
		if words := c.arguments(); words != nil {
			fmt.Fprintf(&b, "complete -c ehlo -n '__fish_seen_subcommand_from %s' -a %s\n", c.name, quoted(strings.Join(words, " ")))
		}
	}
	return b.String()
}

const powershellBody = `	$words = @($ast.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursor } | ForEach-Object { $_.ToString() })
	$command = ''
	for ($i = 1; $i -lt $words.Count; $i++) {
		if ($valued -ccontains $words[$i]) { $i++; continue }
		if ($choices.ContainsKey($words[$i]) -and $choices[$words[$i]] -ccontains $words[$i + 1]) { $i++; continue }
		if (-not $words[$i].StartsWith('-')) { $command = $words[$i]; break }
	}
	$last = $words[-1]
	if ($choices.ContainsKey($last)) {
		$offered = $choices[$last] | ForEach-Object { , @($_, $_) }
	} elseif ($valued -ccontains $last) {
		return
	} elseif ($flags.ContainsKey($command)) {
		$offered = $flags[$command]
	} else {
		return
	}
	$offered | Where-Object { $_[0].StartsWith($word) } | ForEach-Object {
		[System.Management.Automation.CompletionResult]::new($_[0], $_[0], 'ParameterValue', $_[1])
	}
}
`

func powershellScript() string {
	quoted := func(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
	list := func(words []string) string {
		var all []string
		for _, w := range words {
			all = append(all, quoted(w))
		}
		return "@(" + strings.Join(all, ", ") + ")"
	}
	var b strings.Builder
	b.WriteString("# PowerShell completion for ehlo: ehlo completion powershell | Out-String | Invoke-Expression\n" +
		"Register-ArgumentCompleter -Native -CommandName ehlo -ScriptBlock {\n\tparam($word, $ast, $cursor)\n")
	fmt.Fprintf(&b, "\t$valued = %s\n", list(spellings(func(f *flag) bool { return f.takesValue() && f.optional == "" })))
	b.WriteString("\t$choices = @{\n")
	for i := range flagTable {
		if f := &flagTable[i]; f.kind.ofWords() {
			fmt.Fprintf(&b, "\t\t'--%s' = %s\n", f.name, list(f.choices()))
		}
	}
	b.WriteString("\t}\n\t$flags = @{\n\t\t'' = @(\n")
	pair := func(word, about string) { fmt.Fprintf(&b, "\t\t\t, @(%s, %s)\n", quoted(word), quoted(about)) }
	for _, c := range visible() {
		pair(c.name, c.about)
	}
	b.WriteString("\t\t)\n")
	for _, c := range visible() {
		fmt.Fprintf(&b, "\t\t%s = @(\n", quoted(c.name))
		for _, word := range c.arguments() {
			pair(word, word)
		}
		for _, f := range flagsOf(c) {
			for _, name := range f.offered() {
				pair(name, f.offeredAs(name))
			}
		}
		b.WriteString("\t\t)\n")
	}
	b.WriteString("\t}\n" + powershellBody)
	return b.String()
}
