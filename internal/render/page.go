package render

import (
	"bufio"
	"crypto/sha256"
	_ "embed" // the page
	"encoding/base64"
	"html/template"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
)

//go:embed report.tmpl
var pageText string

// pageStyle makes the page pleasant; without it, under a policy that forbids
// all styles, it is readable all the same.
const pageStyle = `body{font:16px/1.5 system-ui,sans-serif;max-width:64rem;margin:0 auto;padding:1rem}` +
	`table{border-collapse:collapse;margin:.5rem 0 1rem}th,td{text-align:left;padding:.2rem .6rem;border-bottom:1px solid #8888;vertical-align:top;overflow-wrap:anywhere}` +
	`thead th,td:first-child,td a{white-space:nowrap}section{margin-top:2rem}figure{margin:0}code{overflow-wrap:anywhere}:target{outline:2px solid}` +
	`@media print{nav{display:none}section{break-inside:auto}tr{break-inside:avoid}}`

func styleHash() string {
	sum := sha256.Sum256([]byte(pageStyle))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// cellNames is how many names a cell has at most.
const cellNames = 8

var pageTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("report").Funcs(pageFuncs).Parse(pageText))
})

var pageFuncs = template.FuncMap{
	"style": func() template.CSS { return pageStyle }, "styleHash": func() template.HTMLAttr { return template.HTMLAttr(styleHash()) },
	"visible": Terminal, "size": human, "between": between, "daysOf": daysOf, "chart": timeChart, "meter": meter, "swatch": swatch,
	"rfc": stamp, "minute": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") },
	"day": func(t time.Time) string { return t.Format("2006-01-02") },
	"outcomes": func() []audit.Outcome {
		var all []audit.Outcome
		for _, ink := range inks {
			all = append(all, ink.outcome)
		}
		return all
	},
	"dict": func(name string, all []Share) map[string][]Share { return map[string][]Share{name: all} },
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
