package audit

import "context"

// Begin is a stand-in.
func (l *Log) Begin(ctx context.Context, e Event, room int64) (Head, error) {
	return l.Append(ctx, e, room)
}
