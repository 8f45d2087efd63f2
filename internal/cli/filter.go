package cli

import "github.com/contextcore/ccdestroy/internal/record"

// filterFlags select operations. Of one flag any value will do; every flag that
// is given must.
type filterFlags struct {
	Operation []string `placeholder:"NAME" completion-predictor:"operation" group:"filter" help:"Only these operations: destroy, export, prune, delete_dashboard, restore, or your own. This and the next five: repeatable, or comma-separated."`
	Outcome   []string `placeholder:"WORD" completion-predictor:"outcome" group:"filter" help:"Only these outcomes: pending (unfinished), success, failed, partial, cancelled."`
	User      []string `placeholder:"NAME" group:"filter" help:"Only by these users, or CI actors; * stands for anything, as in the next three."`
	Project   []string `placeholder:"NAME" completion-predictor:"project" group:"filter" help:"Only of these projects."`
	Volume    []string `placeholder:"NAME" completion-predictor:"volume" group:"filter" help:"Only where one of these volumes was concerned."`
	Host      []string `placeholder:"NAME" group:"filter" help:"Only from these hosts, or on these engines."`
	Since     moment   `placeholder:"TIME" group:"filter" help:"Not before: 2h, 3d, yesterday, 2026-11-23, RFC 3339."`
	Until     moment   `placeholder:"TIME" group:"filter" help:"Not after."`
	Grep      string   `placeholder:"REGEXP" group:"filter" help:"Only where the line in the log has this in it."`
}

func (f filterFlags) filter() record.Filter {
	return record.Filter{
		Operation: f.Operation, Outcome: f.Outcome, User: f.User, Project: f.Project, Volume: f.Volume, Host: f.Host,
		Since: f.Since.Time, Until: f.Until.Time, Grep: f.Grep,
	}
}
