package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/lab/s3lab"
)

// The policies of docs/store.md let each account do what its job takes and no more.
// The condition that Amazon alone knows is left out here, and checked by its text.
func TestDocumentedPolicies(t *testing.T) {
	var all []map[string]any
	accounts := map[string]s3lab.Account{}
	server := s3lab.Start(t, s3lab.Options{})
	server.Bucket("acme-audit", true)
	for _, who := range []string{"runners", "readers", "the sealer"} {
		var p struct{ Statement []map[string]any }
		if err := json.Unmarshal([]byte(s3lab.Documented(t, "../..", "Policy for "+who)), &p); err != nil {
			t.Fatalf("%s: %v", who, err)
		}
		name := strings.TrimSuffix(strings.TrimPrefix(who, "the "), "s")
		accounts[name] = server.User(name)
		for _, s := range p.Statement {
			if s["Action"] == "s3:PutObject" {
				if text := fmt.Sprint(s["Condition"]); text != "map[Null:map[s3:if-none-match:false]]" {
					t.Errorf("%s: a write without a condition: %s", who, text)
				}
				delete(s, "Condition")
			}
			if got := fmt.Sprint(s["Principal"]); got != "map[AWS:arn:aws:iam::111122223333:role/ccdestroy-"+name+"]" {
				t.Errorf("%s: %s", who, got)
			}
			s["Principal"] = map[string]any{"AWS": []string{name}}
			s["Sid"] = fmt.Sprint(len(all), s["Sid"])
			all = append(all, s)
		}
	}
	policy, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": all})
	if err != nil {
		t.Fatal(err)
	}
	server.Policy("acme-audit", string(policy))
	as := func(name string) *S3 { return open(t, server, accounts[name], "s3://acme-audit/teardowns") }
	l := &audit.Log{Path: filepath.Join(t.TempDir(), "audit.jsonl")}
	recorded(t, l, 3)
	if _, err := (&Shipper{Log: l, Sink: Objects{as("runner")}}).Ship(t.Context()); err != nil {
		t.Error(err)
	}
	event := ""
	for key := range server.Objects("acme-audit", "teardowns/v1/events") {
		event = strings.TrimPrefix(key, "teardowns/")
	}
	for name, may := range map[string]string{"runner": "event", "reader": "read list", "sealer": "read list pack"} {
		b := as(name)
		allowed := func(what string, err error) {
			t.Helper()
			if want := strings.Contains(may, what); want && err != nil || !want && !errors.Is(err, ErrDenied) {
				t.Errorf("%s may %s: %t, %v", name, what, want, err)
			}
		}
		allowed("event", b.Put(t.Context(), "v1/events/day=2026-01-01/"+name+".json", nil))
		allowed("pack", b.Put(t.Context(), "v1/packs/day=2026-01-01/"+name+".json", nil))
		allowed("other", b.Put(t.Context(), "v1/other.json", nil))
		_, err := b.Dirs(t.Context(), EventsDir)
		allowed("list", err)
		body, err := b.Get(t.Context(), event)
		if err == nil {
			body.Close()
		}
		allowed("read", err)
		for _, check := range b.Examine(t.Context()) {
			if strings.Contains(check.Text, "can remove") {
				t.Errorf("%s: %s", name, check.Text)
			}
		}
	}
	a := Archive{Loose{as("reader")}}
	if r, err := a.Verify(t.Context(), "s3://acme-audit/teardowns", nil); err != nil || r.Events != 3 {
		t.Errorf("%v: %+v", err, r)
	}
	var lock struct {
		ObjectLockEnabled string
		Rule              struct {
			DefaultRetention struct {
				Mode string
				Days uint
			}
		}
	}
	if err := json.Unmarshal([]byte(s3lab.Documented(t, "../..", "Object Lock")), &lock); err != nil || lock.Rule.DefaultRetention.Mode != "COMPLIANCE" || lock.Rule.DefaultRetention.Days != 400 {
		t.Errorf("%v: %+v", err, lock)
	}
	server.Retain("acme-audit", lock.Rule.DefaultRetention.Mode, lock.Rule.DefaultRetention.Days)
	text := ""
	for _, check := range open(t, server, server.Root, "s3://acme-audit/locked").Examine(t.Context()) {
		text += check.Text + "\n"
	}
	if !strings.Contains(text, "Object Lock keeps records for 400 DAYS, from everybody") {
		t.Error(text)
	}
	var life struct {
		Rules []struct {
			Status     string
			Expiration struct{ Days uint }
		}
	}
	if err := json.Unmarshal([]byte(s3lab.Documented(t, "../..", "Lifecycle")), &life); err != nil || len(life.Rules) != 1 || life.Rules[0].Expiration.Days < lock.Rule.DefaultRetention.Days {
		t.Errorf("%v: %+v", err, life)
	}
}
