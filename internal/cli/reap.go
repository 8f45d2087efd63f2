package cli

import (
	"context"
	"os"
	"path"
	"slices"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/compose"
	"github.com/contextcore/ccdestroy/internal/export"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/reap"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/render"
	"github.com/contextcore/ccdestroy/internal/teardown"
)

type reapCmd struct {
	OlderThan *keepTime `fixed:"" placeholder:"TIME" help:"Tear down projects whose newest container or volume is older than this, such as 5d or 12h. The label ccdestroy.ttl sets a project's own limit; without this flag, only projects with that label go."`
	Match     []string  `fixed:"" sep:"none" placeholder:"PATTERN" completion-predictor:"project" help:"Only projects whose name matches: * stands for any text. Repeatable."`
	Jobs      int       `default:"4" placeholder:"N" help:"How many projects are torn down at once (${default})."`
	Format    string    `enum:"table,json" default:"table" help:"table or json."`
	DryRun    bool      `signals:"end" help:"Show what would go and what would stay; destroy and record nothing."`
	Export    string    `placeholder:"DIR" completion-predictor:"file" help:"Save the volumes of each project below DIR first and verify them."`
	Timeout   *number   `short:"t" placeholder:"SECONDS" help:"Seconds to wait for containers to stop."`
	Reason    string    `placeholder:"TEXT" help:"Reason, kept in the records."`
	askFlags
	engineFlags
	protectFlag
	keepFlag
	agentsFlag
	lockFlag
	recordFlags
}

// Run tears down every project that has expired.
func (c reapCmd) Run(ctx context.Context, p Process, code *int) error {
	rules, err := c.rules(p)
	if err != nil {
		return err
	}
	if c.Reason, err = p.set.reason(c.Reason); err != nil && !c.DryRun {
		return err
	}
	client, err := p.connect(c.engineFlags)
	if err != nil {
		return err
	}
	defer client.Close()
	how := p.confirmation(c.Yes)
	run := reap.Run{
		Engine: client, Rules: rules, AtOnce: c.Jobs, Now: p.Now, Signals: p.Signals,
		Agree:    func(ctx context.Context, all []reap.Project) error { return c.agree(ctx, p, all, how) },
		TearDown: c.tearDown(p, rules.Protect, how),
		Done:     func(r reap.Result) { _ = render.ReapedOne(p.Stderr, reaped(r), c.style(p)) }, // nobody reads it: the results are all there
	}
	if c.DryRun {
		all, err := run.Look(ctx)
		if err != nil {
			return err
		}
		return c.show(p, projects(all))
	}
	began := p.Now()
	results, exit, err := run.Do(ctx)
	if err != nil {
		return err
	}
	*code = exit
	var list []render.Reaped
	for _, r := range results {
		list = append(list, reaped(r))
	}
	if p.json {
		return render.ReapJSON(p.Stdout, list)
	}
	return render.ReapSummary(p.Stderr, list, p.Now().Sub(began), p.style(p.Stderr))
}

// style is that of what is said of operations in the log.
func (c reapCmd) style(p Process) render.Style {
	path := ""
	if c.Log != "" {
		path = p.abs(c.Log)
	}
	return p.styleFor(p.Stderr, path, "")
}

func (c reapCmd) rules(p Process) (r reap.Rules, err error) {
	if r.Protect, err = p.set.patterns(c.Protect); err != nil {
		return r, err
	}
	for _, pattern := range c.Match {
		if _, err := path.Match(pattern, ""); err != nil || pattern == "" {
			return r, fault.Usage("a pattern such as review-*", "--match: %q is not a pattern", pattern)
		}
	}
	if c.Jobs < 1 {
		return r, fault.Usage("--jobs 4", "--jobs %d: must be at least 1", c.Jobs)
	}
	if c.OlderThan != nil {
		r.OlderThan = time.Duration(*c.OlderThan)
		if r.OlderThan <= 0 {
			return r, fault.Usage("--older-than 5d", "--older-than must be longer than 0")
		}
	}
	r.Match = c.Match
	r.Length = func(text string) (time.Duration, error) { d, err := parseKeepTime(text); return time.Duration(d), err }
	return r, nil
}

// agree shows what goes, and asks if there is somebody to ask.
func (c reapCmd) agree(ctx context.Context, p Process, all []reap.Project, how string) error {
	going := slices.ContainsFunc(all, reap.Project.Goes)
	if how != record.Typed || !going {
		return nil
	}
	over := slices.DeleteFunc(slices.Clone(all), func(one reap.Project) bool { return !one.Over })
	if err := render.Reap(p.Stderr, projects(over), p.style(p.Stderr)); err != nil {
		return err
	}
	return p.screen(c.PromptTimeout).confirm(ctx, "reap", "tear these projects down", "nothing was torn down")
}

func (c reapCmd) show(p Process, list []render.Reaped) error {
	if p.json {
		return render.ReapJSON(p.Stdout, list)
	}
	return render.Reap(p.Stdout, list, p.style(p.Stdout))
}

// tearDown tears down one project, found by its labels, with a client of
// its own. What it reports goes into the summary.
func (c reapCmd) tearDown(p Process, protect inventory.Patterns, how string) reap.TearDown {
	p.json = false // of the whole
	return func(ctx context.Context, project string, still func(inventory.Snapshot) error, signals <-chan os.Signal) (record.Ending, error) {
		client, err := p.connect(c.engineFlags)
		if err != nil {
			return record.Ending{}, err
		}
		defer client.Close()
		quiet, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
		if err != nil {
			return record.Ending{}, err
		}
		defer quiet.Close()
		child := p.compose(compose.Args{Host: c.Host, Context: c.Context, ProjectName: project, Volumes: true, Timeout: (*int)(c.Timeout)})
		child.Stdin, child.Stdout, child.Stderr = nil, quiet, quiet
		place, err := p.place(c.recordFlags, client, c.LockTimeout)
		if err != nil {
			return record.Ending{}, err
		}
		place.Book.Note = func(text string) { p.note(project + ": " + text) }
		silent := &silence{}
		run := teardown.Run{
			Resolver: child, Child: child, Engine: client, Events: events{client}, Containers: client,
			Saver:  &export.Writer{Setting: p.setting(client, true), Dir: p.exportsIn(c.Export), Complete: true},
			Screen: silent, Place: place, Signals: signals, Options: inventory.Options{Volumes: true, Protect: protect},
			Confirm: how, Save: c.Export != "", Reason: c.Reason, LastExports: p.lastExports(c.Export), Agent: c.agent(p), Still: still,
		}
		run.Keeper = c.keeper(p, client, how, run.Agent)
		_, err = run.Do(ctx)
		p.expire(run.Keeper, run.Aside(), c.engineFlags, c.recordFlags)
		return silent.ending, err
	}
}

// silence is the screen of one of many teardowns. What goes was agreed on; what was
// created in the meantime was not.
type silence struct{ ending record.Ending }

var _ teardown.Screen = (*silence)(nil)

// Inventory shows nothing.
func (*silence) Inventory(inventory.Inventory, bool) {}

// Ask answers for whoever agreed to the whole.
func (*silence) Ask(_ context.Context, q teardown.Question) (teardown.Answer, error) {
	if len(q.Changes) > 0 {
		return teardown.Declined, nil
	}
	return teardown.Typed, nil
}

// Tell notes that there was nothing to do.
func (s *silence) Tell(string) { s.ending.Outcome = audit.Success }

// Done keeps how it ended.
func (s *silence) Done(e record.Ending) { s.ending = e }

func projects(all []reap.Project) (list []render.Reaped) {
	for _, p := range all {
		list = append(list, render.Reaped{Project: p.Name, Age: p.Age, Limit: p.Limit, Volumes: p.Volumes, Over: p.Over, Stays: p.Stays})
	}
	return list
}

func reaped(r reap.Result) render.Reaped {
	out := projects([]reap.Project{r.Project})[0]
	out.Err = r.Err
	if r.Ending.Outcome != "" {
		out.Ending = &r.Ending
	}
	return out
}
