package cmd

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// shell is one row of the shells that completion knows.
type shell struct {
	name   string
	script func() string
}

func shells() []shell {
	return []shell{
		{"bash", bashScript},
		{"zsh", zshScript},
		{"fish", fishScript},
		{"powershell", powershellScript},
	}
}

// runCompletion prints a script that holds all it needs: pressing Tab does not
// start ehlo.
func runCompletion(_ context.Context, r *run) (exit, error) {
	var names []string
	for _, s := range shells() {
		if s.name == r.args[0] {
			return exit{}, write(r.Env, s.script())
		}
		names = append(names, s.name)
	}
	return exit{}, &usageError{
		msg:    fmt.Sprintf("no completion for %s: there is %s", quote(r.args[0]), strings.Join(names, ", ")),
		likely: nearest(r.args[0], names),
		next:   helpFor(r.command),
	}
}

// visible are the commands that help lists.
func visible() []*command {
	return slices.DeleteFunc(commands(), func(c *command) bool { return c.hidden })
}

// offered are the spellings of f that a completion offers, with dashes.
func (f *flag) offered() []string {
	names := []string{f.shown()}
	if f.kind == isBool && f.def == "" && f.takenBack() {
		names = append(names, "--no-"+f.name)
	}
	if f.short != "" {
		names = append(names, "-"+f.short)
	}
	return names
}

// offeredAs is the line of help for one of f's spellings.
func (f *flag) offeredAs(name string) string {
	if name == "--no-"+f.name && f.def == "" {
		return "the opposite of --" + f.name
	}
	return f.purpose()
}

// arguments are the words that stand behind a command, for those that take but a few.
func (c *command) arguments() []string {
	var words []string
	switch c.name {
	case "completion":
		for _, s := range shells() {
			words = append(words, s.name)
		}
	case "help":
		for _, v := range visible() {
			words = append(words, v.name)
		}
	}
	return words
}

// spellings are what is offered for the flags of the table that pass.
func spellings(pass func(*flag) bool) []string {
	var names []string
	for i := range flagTable {
		if f := &flagTable[i]; pass(f) {
			names = append(names, "--"+f.name)
		}
	}
	return names
}

// bash takes = and @ for words of their own, so the line is split anew. What
// readline replaces begins behind a =, but holds the @.
const bashHead = `# bash completion for ehlo: source it, or keep it as
# ~/.local/share/bash-completion/completions/ehlo
_ehlo_at_files() {
	local file
	for file in $(IFS= compgen -f -- "${1#@}"); do
		if [[ -d $file ]]; then
			compopt -o nospace 2>/dev/null
			file+=/
		fi
		COMPREPLY+=("@$(printf %q "$file")")
	done
}

_ehlo() {
	local words=() cur= prev= cmd= i IFS=$' \t\n'
	read -a words <<<"${COMP_LINE:0:COMP_POINT}"
	[[ ${COMP_LINE:0:COMP_POINT} == *[[:space:]] ]] && words+=('')
	cur=${words[${#words[@]}-1]}
	unset "words[${#words[@]}-1]"
	if [[ $cur == --*=* ]]; then
		prev=${cur%%=*} cur=${cur#*=}
	else
		prev=${words[${#words[@]}-1]}
	fi
	COMPREPLY=()
`

func bashScript() string {
	var b strings.Builder
	b.WriteString(bashHead)
	cases := func(pass func(*flag) bool) string { return strings.Join(spellings(pass), "|") }
	valued := cases(func(f *flag) bool { return f.takesValue() && f.optional == "" })
	b.WriteString("\tfor ((i = 1; i < ${#words[@]}; i++)); do\n\t\tcase ${words[i]} in\n" +
		"\t\t" + valued + ") ((i++)) ;;\n" + optionalCases() + "\t\t-*) ;;\n\t\t*)\n\t\t\tcmd=${words[i]}\n\t\t\tbreak ;;\n\t\tesac\n\tdone\n")

	b.WriteString("\tcase $prev in\n")
	for i := range flagTable {
		if f := &flagTable[i]; f.kind.ofWords() {
			fmt.Fprintf(&b, "\t--%s)\n\t\tCOMPREPLY=($(compgen -W '%s' -- \"$cur\"))\n\t\treturn ;;\n", f.name, strings.Join(f.choices(), " "))
		}
	}
	const paths = "\t%s)\n\t\tIFS=$'\\n'\n\t\tcompopt -o filenames 2>/dev/null\n\t\tCOMPREPLY=($(compgen %s -- \"$cur\"))\n\t\treturn ;;\n"
	fmt.Fprintf(&b, paths, cases(func(f *flag) bool { return f.complete == files }), "-f")
	fmt.Fprintf(&b, paths, cases(func(f *flag) bool { return f.complete == dirs }), "-d")
	fmt.Fprintf(&b, "\t%s)\n\t\tIFS=$'\\n'\n\t\t[[ $cur == @* ]] && _ehlo_at_files \"$cur\"\n\t\treturn ;;\n",
		cases(func(f *flag) bool { return f.complete == atFiles }))
	free := cases(func(f *flag) bool { return f.takesValue() && !f.kind.ofWords() && f.complete == nothing })
	fmt.Fprintf(&b, "\t%s)\n\t\treturn ;;\n\tesac\n", free)

	b.WriteString("\tlocal offered\n\tcase $cmd in\n")
	var names []string
	for _, c := range visible() {
		names = append(names, c.name)
		words := c.arguments()
		for _, f := range flagsOf(c) {
			words = append(words, f.offered()...)
		}
		fmt.Fprintf(&b, "\t%s) offered='%s' ;;\n", c.name, strings.Join(words, " "))
	}
	fmt.Fprintf(&b, "\t'') offered='%s --help --version' ;;\n\t*) return ;;\n\tesac\n", strings.Join(names, " "))
	b.WriteString("\tCOMPREPLY=($(compgen -W \"$offered\" -- \"$cur\"))\n}\ncomplete -F _ehlo ehlo\n")
	return b.String()
}

// optionalCases skips the word behind a flag with an optional value if it is one
// of the flag's words.
func optionalCases() string {
	var b strings.Builder
	for i := range flagTable {
		if f := &flagTable[i]; f.optional != "" && f.choices() != nil {
			fmt.Fprintf(&b, "\t\t--%s) case ${words[i+1]} in %s) ((i++)) ;; esac ;;\n", f.name, strings.Join(f.choices(), "|"))
		}
	}
	return b.String()
}

// single is text within single quotes of a POSIX shell.
func single(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

func zshScript() string {
	var b strings.Builder
	b.WriteString("#compdef ehlo\n# zsh completion for ehlo: keep it as _ehlo in a directory of $fpath.\n\n" +
		"_ehlo_at_files() {\n\tcompset -P @ && _files\n}\n\n" +
		"_ehlo() {\n\tlocal curcontext=$curcontext state line\n\ttypeset -A opt_args\n" +
		"\t_arguments -C '1:command:->command' '*::argument:->argument'\n\tcase $state in\n\tcommand)\n\t\tlocal -a commands=(\n")
	for _, c := range visible() {
		fmt.Fprintf(&b, "\t\t\t%s\n", single(c.name+":"+c.about))
	}
	b.WriteString("\t\t)\n\t\t_describe command commands ;;\n\targument)\n\t\tcase $words[1] in\n")
	for _, c := range visible() {
		fmt.Fprintf(&b, "\t\t%s)\n\t\t\t_arguments", c.name)
		for _, f := range flagsOf(c) {
			for _, name := range f.offered() {
				b.WriteString(" \\\n\t\t\t\t" + single(zshSpec(f, name)))
			}
		}
		if words := c.arguments(); words != nil {
			b.WriteString(" \\\n\t\t\t\t" + single("1:word:("+strings.Join(words, " ")+")"))
		}
		b.WriteString(" ;;\n")
	}
	b.WriteString("\t\tesac ;;\n\tesac\n}\n\nif [[ $funcstack[1] == _ehlo ]]; then\n\t_ehlo \"$@\"\nelse\n\tcompdef _ehlo ehlo\nfi\n")
	return b.String()
}

// zshSpec is a flag as _arguments reads it.
func zshSpec(f *flag, name string) string {
	escaped := strings.NewReplacer("[", `\[`, "]", `\]`, ":", `\:`)
	var b strings.Builder
	if f.kind == isList {
		b.WriteByte('*')
	}
	b.WriteString(name)
	colons := ":"
	switch {
	case f.optional != "":
		b.WriteString("=-")
		colons = "::"
	case f.takesValue():
		b.WriteByte('=')
	}
	b.WriteString("[" + escaped.Replace(f.offeredAs(name)) + "]")
	if !f.takesValue() {
		return b.String()
	}
	b.WriteString(colons + escaped.Replace(f.value) + ":")
	switch {
	case f.kind.ofWords():
		b.WriteString("(" + strings.Join(f.choices(), " ") + ")")
	case f.complete == files:
		b.WriteString("_files")
	case f.complete == dirs:
		b.WriteString("_files -/")
	case f.complete == atFiles:
		b.WriteString("_ehlo_at_files")
	}
	return b.String()
}
