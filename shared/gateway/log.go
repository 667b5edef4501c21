package gateway

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"time"

	"gongji/shared/app"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// NewLog returns a log of JSON lines as Lambda reads them. Each line says which
// invocation and which request it belongs to.
func NewLog(w io.Writer) *slog.Logger {
	return slog.New(numbered{slog.NewJSONHandler(w, &slog.HandlerOptions{ReplaceAttr: lambdacontext.ReplaceAttr})})
}

// numbered adds the numbers of a line's invocation and request to it.
type numbered struct{ slog.Handler }

// Handle implements slog.Handler.
func (n numbered) Handle(ctx context.Context, r slog.Record) error {
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		r.AddAttrs(slog.String("lambda_request_id", lc.AwsRequestID))
	}
	if trace := traceID(ctx); trace != "" {
		r.AddAttrs(slog.String("trace_id", trace))
	}
	if g, ok := contextOf(ctx); ok {
		r.AddAttrs(slog.String("gateway_request_id", g.RequestID), slog.String("route", g.RouteKey))
	}
	return n.Handler.Handle(ctx, r)
}

// traceID returns the id under which X-Ray knows the invocation; empty is none.
func traceID(ctx context.Context) string {
	id, _ := ctx.Value("x-amzn-trace-id").(string) // the Lambda library's key
	return id
}

// WithAttrs implements slog.Handler.
func (n numbered) WithAttrs(attrs []slog.Attr) slog.Handler {
	return numbered{n.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (n numbered) WithGroup(name string) slog.Handler { return numbered{n.Handler.WithGroup(name)} }

// logRequest writes the line of one request: the route as the template has it,
// never the path, which may name somebody; how it was answered, which message it was
// about and what it cost the table.
func logRequest(ctx context.Context, log *slog.Logger, w *recorder, tally *app.Tally, took time.Duration) {
	level, unknown := slog.LevelInfo, 0
	if w.status >= http.StatusInternalServerError {
		level, unknown = slog.LevelError, 1
	}
	attrs := Metrics(Metric{"Milliseconds", "Milliseconds", took.Milliseconds()}, Count("Unknown", int64(unknown)))
	attrs = append(attrs, slog.Int("status", w.status))
	attrs = append(attrs, tally.Attrs()...)
	if id := w.sent.Get("Request-Id"); id != "" {
		attrs = append(attrs, slog.String("request_id", id))
	}
	if w.sent.Get("Content-Type") == "application/problem+json" {
		var problem struct{ Code string }
		if json.Unmarshal(w.body.Bytes(), &problem) == nil {
			attrs = append(attrs, slog.String("code", problem.Code))
		}
	}
	log.LogAttrs(ctx, level, "request", attrs...)
}

// Metric is a number that CloudWatch reads out of a log line.
type Metric struct {
	Name, Unit string // as CloudWatch spells them: "Count", "Milliseconds"
	Value      int64  `json:"-"` // stands beside them in the line
}

// Count is a metric of things that were counted.
func Count(name string, n int64) Metric { return Metric{name, "Count", n} }

// Metrics returns the attributes of a line from which CloudWatch takes metrics
// (embedded metric format), in the namespace Gongji, by function.
func Metrics(of ...Metric) []slog.Attr {
	type directive struct {
		Namespace  string
		Dimensions [][]string
		Metrics    []Metric
	}
	attrs := []slog.Attr{
		slog.Any("_aws", struct {
			Timestamp         int64
			CloudWatchMetrics []directive
		}{time.Now().UnixMilli(), []directive{{"Gongji", [][]string{{"Function"}}, of}}}),
		slog.String("Function", lambdacontext.FunctionName),
	}
	for _, m := range of {
		attrs = append(attrs, slog.Int64(m.Name, m.Value))
	}
	return attrs
}
