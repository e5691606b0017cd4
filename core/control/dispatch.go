package control

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// The commands.
const (
	CommandStatus      = "status"
	CommandShards      = "shards"
	CommandCacheLookup = "cache.lookup"
	CommandCacheFlush  = "cache.flush"
	CommandCacheStats  = "cache.stats"
	CommandUpstreams   = "upstreams"
	CommandReload      = "reload"
	CommandZones       = "zones"
	CommandZoneReload  = "zone.reload"
	CommandZoneLookup  = "zone.lookup"
	CommandXDP         = "xdp"
	CommandUpgrade     = "upgrade"
	CommandHealth      = "health"
)

// Limits on arguments, in characters.
const (
	maxName = 1020 // 255 octets, each written as \DDD
	maxType = 16   // the longest mnemonic is shorter
)

// Server is what the daemon does for each command. Dispatch has checked that
// names and types are present, printable and not too long; whether they parse is
// the method's own concern, and CodeBadRequest its answer. Methods run on the
// goroutine of the connection, so several may run at once.
type Server interface {
	Status(context.Context) (*Status, error)
	Shards(context.Context) (*Shards, error)
	CacheLookup(context.Context, CacheLookupArgs) (*CacheLookup, error)
	CacheFlush(context.Context, CacheFlushArgs) (*CacheFlush, error)
	CacheStats(context.Context) (*CacheStats, error)
	Upstreams(context.Context) (*Upstreams, error)
	Reload(context.Context) (*Reload, error)
	Zones(context.Context) (*ZoneList, error)
	ZoneReload(context.Context, ZoneReloadArgs) (*ZoneList, error)
	ZoneLookup(context.Context, ZoneLookupArgs) (*ZoneLookup, error)
	XDP(context.Context) (*XDP, error)
	Upgrade(context.Context, UpgradeArgs) (*Upgrade, error)
	Profile(context.Context, ProfileArgs) (*Profile, error)
	Health(context.Context) (*Health, error)
	ResolverServer
	OperatorServer
}

// Dispatch carries out the request in line, with or without its line feed, and writes the response to w: one line of at most
// MaxResponse octets, or several of a profile. What is wrong with the request or the command is in the response; an error is
// that of w.
func Dispatch(ctx context.Context, w io.Writer, s Server, line []byte) error {
	req, err := parse(line)
	if err == nil && req.Command == CommandProfile {
		return sendProfile(ctx, w, s, req)
	}
	_, err = w.Write(respond(ctx, s, req, err))
	return err
}

func parse(line []byte) (*Request, error) {
	if len(line) > MaxRequest {
		return nil, Errorf(CodeTooLarge, "the request is longer than %d octets", MaxRequest)
	}
	req := new(Request)
	if err := decode(line, req); err != nil {
		return nil, Errorf(CodeBadRequest, "the request is not valid: %v", err)
	}
	return req, nil
}

// respond carries out a request, unless it could not be read, and returns the line of its response.
func respond(ctx context.Context, s Server, req *Request, err error) []byte {
	if err != nil {
		return errorLine(err)
	}
	data, err := call(ctx, s, req)
	if err != nil {
		return errorLine(err)
	}
	body, err := json.Marshal(data)
	if err != nil {
		return errorLine(err)
	}
	out, err := encode(Response{Data: body})
	if err != nil {
		return errorLine(err)
	}
	if len(out) > MaxResponse {
		return errorLine(Errorf(CodeTooLarge, "the response to %s is longer than %d octets", req.Command, MaxResponse))
	}
	return out
}

// call decodes the arguments of req and runs its command.
func call(ctx context.Context, s Server, req *Request) (any, error) {
	if data, known, err := callResolver(ctx, s, req); known {
		return data, err
	}
	if data, known, err := callOperator(ctx, s, req); known {
		return data, err
	}
	switch req.Command {
	case CommandCacheLookup:
		var args CacheLookupArgs
		if err := decodeArgs(req, &args); err != nil {
			return nil, err
		}
		if err := checkQuestion(args.Name, args.Type); err != nil {
			return nil, err
		}
		return s.CacheLookup(ctx, args)
	case CommandCacheFlush:
		var args CacheFlushArgs
		if err := decodeArgs(req, &args); err != nil {
			return nil, err
		}
		if args.Name == "" && args.Subtree {
			return nil, Errorf(CodeBadRequest, "cache.flush of a subtree needs a name")
		}
		if args.Name != "" {
			if err := checkText("name", args.Name, maxName); err != nil {
				return nil, err
			}
		}
		return s.CacheFlush(ctx, args)
	case CommandZoneReload:
		var args ZoneReloadArgs
		if err := decodeArgs(req, &args); err != nil {
			return nil, err
		}
		if args.Name != "" {
			if err := checkText("name", args.Name, maxName); err != nil {
				return nil, err
			}
		}
		return s.ZoneReload(ctx, args)
	case CommandZoneLookup:
		var args ZoneLookupArgs
		if err := decodeArgs(req, &args); err != nil {
			return nil, err
		}
		if err := checkQuestion(args.Name, args.Type); err != nil {
			return nil, err
		}
		return s.ZoneLookup(ctx, args)
	}
	if req.Command == CommandUpgrade {
		var args UpgradeArgs
		if err := decodeArgs(req, &args); err != nil {
			return nil, err
		}
		if args.Within < 0 || args.Within > MaxUpgrade {
			return nil, Errorf(CodeBadRequest, "an upgrade may take up to %d seconds, not %d", MaxUpgrade, args.Within)
		}
		return s.Upgrade(ctx, args)
	}
	if err := decodeArgs(req, &struct{}{}); err != nil {
		return nil, err
	}
	switch req.Command {
	case CommandStatus:
		return s.Status(ctx)
	case CommandShards:
		return s.Shards(ctx)
	case CommandCacheStats:
		return s.CacheStats(ctx)
	case CommandUpstreams:
		return s.Upstreams(ctx)
	case CommandReload:
		return s.Reload(ctx)
	case CommandZones:
		return s.Zones(ctx)
	case CommandXDP:
		return s.XDP(ctx)
	case CommandHealth:
		return s.Health(ctx)
	}
	return nil, &Error{
		Code:    CodeUnknownCommand,
		Message: "this daemon has no command " + quote(req.Command),
		Hint:    "use a heimdallctl of the daemon's own version",
	}
}

func decodeArgs(req *Request, args any) error {
	if len(req.Args) == 0 {
		return nil
	}
	if err := decode(req.Args, args); err != nil {
		return Errorf(CodeBadRequest, "the arguments of %s are not valid: %v", quote(req.Command), err)
	}
	return nil
}

// checkQuestion checks a name and a type that are both needed.
func checkQuestion(name, typ string) error {
	if err := checkText("name", name, maxName); err != nil {
		return err
	}
	return checkText("type", typ, maxType)
}

// checkText refuses an empty argument, one longer than limit characters, and one
// with characters that could not stand in a name's presentation form.
func checkText(what, text string, limit int) error {
	if text == "" {
		return Errorf(CodeBadRequest, "the %s is missing", what)
	}
	if len(text) > limit {
		return Errorf(CodeBadRequest, "the %s is longer than %d characters", what, limit)
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return Errorf(CodeBadRequest, "the %s has characters other than printable ASCII; write others as \\DDD", what)
	}
	return nil
}

// quote shortens and quotes text that a stranger chose.
func quote(text string) string {
	const limit = 40
	if len(text) > limit {
		text = text[:limit] + "…"
	}
	b, err := json.Marshal(text)
	if err != nil {
		return `"?"`
	}
	return string(b)
}

// errorLine returns the response that reports err.
func errorLine(err error) []byte {
	e, ok := errors.AsType[*Error](err)
	switch {
	case ok:
	case errors.Is(err, context.DeadlineExceeded):
		e = &Error{Code: CodeTimeout, Message: "a shard did not answer in time", Hint: "heimdallctl shards and the daemon's log say which and why"}
	case errors.Is(err, context.Canceled):
		e = &Error{Code: CodeUnavailable, Message: "the daemon is shutting down"}
	default:
		e = &Error{Code: CodeInternal, Message: err.Error()}
	}
	out, err := encode(Response{Error: e})
	if err != nil || len(out) > MaxResponse {
		return []byte(`{"error":{"code":"internal","message":"the error does not fit into a response"}}` + "\n")
	}
	return out
}
