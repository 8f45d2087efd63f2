package logs

import (
	"fmt"
	"strings"
)

// stack is an invented project, as much of it as its events tell.
type stack struct {
	g        *generator
	project  string
	services []string
	volumes  []string
}

func (g *generator) stack() stack {
	s := stack{g: g, project: fmt.Sprintf("%s-%s-%d", g.pick("shop", "billing", "search", "wiki", "metrics", "erp"),
		g.pick("dev", "staging", "review", "ci"), g.rnd.IntN(400))}
	all := []string{"db", "web", "cache", "queue", "worker", "mail"}
	s.services = all[:1+g.rnd.IntN(len(all)-1)]
	for _, service := range s.services {
		if service == "db" || g.rnd.IntN(3) == 0 {
			s.volumes = append(s.volumes, s.project+"_"+service+"data")
		}
	}
	return s
}

func (s stack) hex(n int) string {
	var b strings.Builder
	for range n {
		b.WriteByte("0123456789abcdef"[s.g.rnd.IntN(16)])
	}
	return b.String()
}

// details is the details object of one of its events.
func (s stack) details(ended bool) string {
	var resources []string
	result := ""
	if ended {
		result = `,"result":"gone"`
	}
	for i, v := range s.volumes {
		bytes := s.g.rnd.Int64N(4 << 30)
		resources = append(resources, fmt.Sprintf(`{"kind":"volume","name":%q,"created":"2024-01-08T08:%02d:11Z","born":"2024-01-08T08:%02d:11.%09dZ","key":"data%d","used_by":["%s-%s-1"],"size":{"bytes":%d,"disk":%d},"asked":true,"fate":"removed"%s}`,
			v, i, i, s.g.rnd.IntN(1e9), i, s.project, s.services[0], bytes, bytes&^4095, result))
	}
	for _, c := range s.services {
		resources = append(resources, fmt.Sprintf(`{"kind":"container","name":"%s-%s-1","id":%q,"key":%q,"asked":true,"fate":"removed"%s}`, s.project, c, s.hex(64), c, result))
	}
	resources = append(resources, fmt.Sprintf(`{"kind":"network","name":"%s_default","id":%q,"key":"default","asked":true,"fate":"removed"%s}`, s.project, s.hex(64), result))
	tail := ""
	if ended {
		tail = fmt.Sprintf(`,"started_at":"2024-01-08T09:00:00.%09dZ","duration_ms":%d,"exit_code":0,"bytes_lost":%d`, s.g.rnd.IntN(1e9), s.g.rnd.IntN(9000), s.g.rnd.Int64N(8<<30))
		if s.g.rnd.IntN(10) == 0 {
			tail += `,"stderr":"\"web\" says:\n\tcould not be reached · 接続できません\u001b[0m"`
		}
	}
	return fmt.Sprintf(`{"project":%q,"mode":"files","dir":"/srv/%s","files":["/srv/%s/compose.yaml"],"engine":{"id":"%s-a1b2-4c3d-9e8f-%s","name":"build%02d","version":"28.5.2","api_version":"1.51","host":"unix:///var/run/docker.sock","local":true},"resources":[%s],"tool":"ccdestroy 1.0.0","compose":"v5.6.0","command":["docker","compose","down","--volumes"],"confirmation":%q,"actor":{"uid":1000,"euid":1000,"account":"ci","login_uid":4294967295,"host":"build%02d","boot_id":"%s","pid":%d,"started":"%d"%s}%s}`,
		s.project, s.project, s.project, s.hex(8), s.hex(12), s.g.rnd.IntN(20), strings.Join(resources, ","),
		s.g.pick("unattended", "typed", "flag"), s.g.rnd.IntN(20), s.hex(32), s.g.rnd.IntN(1<<22), s.g.rnd.IntN(1<<30), s.ci(), tail)
}

func (s stack) ci() string {
	if s.g.rnd.IntN(3) == 0 {
		return ""
	}
	run := s.g.rnd.IntN(1e9)
	return fmt.Sprintf(`,"ci":{"vendor":"gitlab","actor":"ana","url":"https://git.example/shop/%s/-/jobs/%d","repository":"shop/%s","commit":%q}`, s.project, run, s.project, s.hex(40))
}
