package workflows

import (
	"fmt"

	"go.temporal.io/sdk/workflow"
)

// bundleChannel is the channel of bundles to an inbox that may have begun on a worker which knew none. Such a worker left them in the
// channel; what it did then is not replayed as if it had read them, but read afterwards. Whether they may be read is asked
// only of an inbox that was sent some.
type bundleChannel struct {
	channel workflow.ReceiveChannel
	// known says that this run reads bundles. A version is remembered, so each question has a name of its own: asked counts them.
	known bool
	asked int
	// left is how many were in the channel when they could not be read.
	left int
}

// mayBeRead reports whether what has arrived may be read now.
func (b *bundleChannel) mayBeRead(ctx workflow.Context) bool {
	if b.known || b.channel.Len() == 0 {
		return b.known
	}
	b.asked++
	b.known = since(ctx, fmt.Sprintf("%s/%d", bundlesChange, b.asked))
	b.left = b.channel.Len()
	if b.known {
		// Replay passes over a version that it does not know, but not over this: an older worker cannot take the run back and
		// leave what comes next.
		workflow.SideEffect(ctx, func(workflow.Context) any { return "bundles are read from here on" })
	}
	return b.known
}

// news reports whether something has arrived since it was last asked for.
func (b *bundleChannel) news() bool {
	if b.known {
		return b.channel.Len() > 0
	}
	return b.channel.Len() > b.left
}
