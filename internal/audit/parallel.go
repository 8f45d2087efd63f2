package audit

import (
	"io"
	"runtime"
	"sync"
)

// maxWorkers bounds how many blocks are in memory at once.
const maxWorkers = 4

// inOrder reads the spans of a file, hands the block of each to work, several
// at once, and the results to use, one at a time and in the order of the spans,
// until use returns false. A block is valid until work returns. The first span
// is worked on alone: most readers need no other.
func inOrder[T any](r io.ReaderAt, size int64, spans func(int) (span, bool), work func(block) (T, error), use func(T) (more bool, err error)) error {
	one := func(rd *reader, s span) (result T, err error) {
		b, err := rd.read(s)
		if err != nil {
			return result, err
		}
		return work(b)
	}
	s, ok := spans(0)
	if !ok {
		return nil
	}
	first, err := one(&reader{r: r, size: size}, s)
	if err != nil {
		return err
	}
	if more, err := use(first); err != nil || !more {
		return err
	}

	type answer struct {
		result T
		err    error
	}
	type job struct {
		span
		done chan answer // buffers one, so that a worker never waits
	}
	workers := min(runtime.GOMAXPROCS(0), maxWorkers)
	jobs, queue := make(chan job), make(chan job, workers)
	quit := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		defer close(jobs)
		defer close(queue)
		for n := 1; ; n++ {
			s, ok := spans(n)
			if !ok {
				return
			}
			j := job{s, make(chan answer, 1)}
			select {
			case queue <- j: // full when workers answers wait to be used
			case <-quit:
				return
			}
			select {
			case jobs <- j:
			case <-quit:
				return
			}
		}
	})
	for range workers {
		running.Go(func() {
			rd := &reader{r: r, size: size}
			for j := range jobs {
				result, err := one(rd, j.span)
				j.done <- answer{result, err}
			}
		})
	}
	defer running.Wait() // before the caller closes the file
	defer close(quit)
	for j := range queue {
		a := <-j.done
		if a.err != nil {
			return a.err
		}
		if more, err := use(a.result); err != nil || !more {
			return err
		}
	}
	return nil
}
