package control

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
)

// Serve answers the requests that arrive on rw, one after the other, until the
// stream ends (it then returns nil), fails, carries a line that is too long, or
// ctx is done. Deadlines on the stream are the caller's.
func Serve(ctx context.Context, rw io.ReadWriter, s Server) error {
	r := bufio.NewReaderSize(rw, MaxRequest)
	for ctx.Err() == nil {
		line, err := r.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			// The rest of the line cannot be told from a next request: answer and hang up.
			tooLarge := Errorf(CodeTooLarge, "the request is longer than %d octets", MaxRequest)
			if _, err := rw.Write(errorLine(tooLarge)); err != nil {
				return fmt.Errorf("write response: %w", err)
			}
			return tooLarge
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read request: %w", err)
		}
		if err := Dispatch(ctx, rw, s, line); err != nil {
			return fmt.Errorf("write response: %w", err)
		}
	}
	return ctx.Err()
}
