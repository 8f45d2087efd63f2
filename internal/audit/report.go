package audit

import "slices"

// Class is what is wrong with a line of the log, or with the log.
type Class string

// The classes. The first eight are problems: the log is not what was written, or
// (AfterOutcome) was written so that it contradicts itself about one operation. Torn
// is one as long as no later event covers the line, and so is malformed.
const (
	Changed      Class = "changed"           // a line is not the one that was written
	Missing      Class = "missing"           // lines that were written are not there
	Inserted     Class = "inserted"          // lines are there that were not written there
	Reordered    Class = "reordered"         // lines are in another order than they were written in
	Truncated    Class = "truncated"         // the end of the log is gone, as a head shows
	Foreign      Class = "foreign log"       // lines, or a head, of another log
	Forked       Class = "forked"            // of a store: a log was continued in two ways
	AfterOutcome Class = "after the outcome" // an event of an operation that had ended
	Malformed    Class = "malformed"         // a line is no event
	Torn         Class = "torn"              // a line that a crash cut short
	Unchained    Class = "unchained"         // lines of the Python module, or of another program
	OpenEnd      Class = "unfinished"        // an operation without an outcome
)

// Finding is one thing that verify has to say.
type Finding struct {
	Class   Class
	Problem bool   // whether the log is not as it was written; otherwise it is for information
	File    string // name of the segment concerned
	Line    int64  // the first line concerned; 0 when it is not there
	ToLine  int64  // the last one
	Seq     int64  // of an event that is concerned; 0 when none is
	ToSeq   int64  // the last one
	ID      string // of an operation that is unfinished, or whose event is late
	Text    string // in words, without the class, the file and the lines

	noted bool // it is only about a head noted here
}

// Range is a run of lines that were written one after the other and have not
// been changed since.
type Range struct {
	File         string // name of the segment
	Line, ToLine int64
	Seq, ToSeq   int64
	// Proven says that a head which was kept elsewhere is in the range, and
	// proves all of it up to there. The others are only consistent: whoever can
	// write the file could have made them up.
	ProvenToLine int64
}

// HeadCheck is a head that the log was compared with.
type HeadCheck struct {
	Head
	Noted bool   // noted here by this account; else it was given
	Line  int64  // where the log has it; 0 when it does not
	File  string // name of the segment that has it

	link    string // name of the segment that continues the one with this line: then it is neither
	vouched bool   // of a link: a head proves the line that it stands in
}

// Report is the verdict on a log.
type Report struct {
	Path       string
	Logs       int64    // of a store: how many logs it has
	Files      []string // names of its segments, the oldest first; the newest is usually that of Path
	Bytes      int64
	Lines      int64
	Events     int64 // chained ones
	Operations int64 // with an outcome, or unfinished
	Unfinished int64
	Head       Head // of the last chained line of the newest segment, in the order of writing; zero when there is none
	Heads      []HeadCheck
	Findings   []Finding
	// Omitted is how many findings there are besides Findings, which are many
	// already.
	Omitted   int64
	Untouched []Range
}

// Intact reports whether no finding is a problem.
func (r Report) Intact() bool {
	for _, f := range r.Findings {
		if f.Problem {
			return false
		}
	}
	return true
}

// Several reports whether the report speaks of more than one file.
func (r Report) Several() bool {
	return len(r.Files) > 1 || len(r.Files) == 1 && slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.File != r.Files[0] })
}
