package render

import (
	"bufio"
	"crypto/sha256"
	_ "embed" // the page
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
)

//go:embed report.tmpl
var pageText string

//go:embed report.css
var styleText string

// pageStyle makes the page pleasant and its filters work; without it, under a
// policy that forbids all styles, it is still readable. There are as many
// rules for projects and for users as the filters have names.
var pageStyle = sync.OnceValue(func() string {
	var b strings.Builder
	b.WriteString(styleText)
	for _, ink := range inks {
		fmt.Fprintf(&b, ".%s .o::before{background:%s}\n", ink.outcome, ink.fill)
	}
	for _, letter := range []string{"p", "w"} {
		for i := range reportTop + 1 {
			fmt.Fprintf(&b, "body:has(#%s%d:checked) #operations tbody tr:not(.%s%d){display:none}\n", letter, i, letter, i)
		}
	}
	return b.String()
})

func styleHash() string {
	sum := sha256.Sum256([]byte(pageStyle()))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// cellNames is how many names a cell has at most.
const cellNames = 8

var pageTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("report").Funcs(pageFuncs).Parse(pageText))
})

var pageFuncs = template.FuncMap{
	"style": func() template.CSS { return template.CSS(pageStyle()) }, "styleHash": func() template.HTMLAttr { return template.HTMLAttr(styleHash()) },
	"visible": Terminal, "size": human, "between": between, "daysOf": daysOf, "countChart": countChart, "lossChart": lossChart, "meter": meter, "swatch": swatch,
	"rfc": stamp, "minute": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") },
	"day": func(t time.Time) string { return t.Format("2006-01-02") },
	"outcomes": func() []audit.Outcome {
		var all []audit.Outcome
		for _, ink := range inks {
			all = append(all, ink.outcome)
		}
		return all
	},
	"troubled": func(r *Report) int {
		return r.Outcomes[audit.Partial] + r.Outcomes[audit.Failed] + r.Outcomes[audit.Pending]
	},
	"mark":    func(r ReportRow) template.HTML { return swatch(r.outcome) },
	"opened":  func(all []ReportRow) []ReportRow { return all[:min(len(all), reportOpen)] },
	"folded":  func(all []ReportRow) []ReportRow { return all[min(len(all), reportOpen):] },
	"classes": classes,
	"initial": func(name string) string { return strings.ToLower(name[:1]) },
	"dict":    func(name string, all []Share) map[string][]Share { return map[string][]Share{name: all} },
	"list": func(names []string) string {
		more := ""
		if len(names) > cellNames {
			names, more = names[:cellNames], " …"
		}
		return Terminal(strings.Join(names, ", ")) + more
	},
	"first":  func(all []audit.Finding) []audit.Finding { return all[:min(len(all), reportTrouble)] },
	"anchor": anchor,
	"link": func(r ReportRow) template.HTML {
		text := template.HTMLEscapeString(r.Time.Format("2006-01-02 15:04"))
		if r.ID == "" || !r.Listed {
			return template.HTML(text)
		}
		return template.HTML(`<a href="#` + template.HTMLEscapeString(anchor(r.ID)) + `">` + text + `</a>`)
	},
}

// classes are what the filters recognise a row by.
func classes(r ReportRow, projects, users []Share) string {
	all := []string{string(r.outcome), fmt.Sprintf("p%d", place(r.Project, projects)), fmt.Sprintf("w%d", place(r.Who, users))}
	if r.Destroyed {
		all = append(all, "lost")
	}
	if r.Undo != "" {
		all = append(all, "undo")
	}
	return strings.Join(all, " ")
}

// anchor is an id as a fragment of an address: what is no letter or digit is
// left out.
func anchor(id string) string {
	return "op-" + strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, id)
}

// Page writes the report as one page that needs nothing else.
func (r *Report) Page(w io.Writer) error {
	out := bufio.NewWriter(w)
	if err := pageTemplate().Execute(out, r); err != nil {
		return err
	}
	return out.Flush()
}
