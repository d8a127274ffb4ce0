// Package hooksink is the other side of notices by webhook: Slack, a Teams workflow and a receiver of
// Standard Webhooks, over real HTTP. It judges what it is sent the way they do, keeps the last
// messages, and misbehaves on request (package fault).
//
//	POST /services/...    Slack's incoming webhook: "ok", or 4xx with Slack's own word
//	POST /workflows/...   a Teams workflow: 202 whatever the body; one that holds no card shows nothing
//	POST /hook/...        Standard Webhooks: 204, or 401 where the signature is wrong
//	/__sim/               the controls, for callers on this machine
//
// The limits are those of the vendors' documentation, as far as there are any: 50 blocks and 3,000
// characters for Slack, 28 KB for Teams. That more than 13,000 characters are too many for Slack is
// OBSERVED only.
package hooksink
