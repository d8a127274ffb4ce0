package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/textproto"

	"github.com/wneessen/go-mail"
)

// Greet connects to the mail server as Send does, up to STARTTLS and AUTH, and says goodbye: no message is begun.
// The state is that of TLS, nil where the connection is in the clear. Errors show no password.
func (m *Mail) Greet(ctx context.Context) (*tls.ConnectionState, error) {
	client, err := mail.NewClient(m.host, m.options...)
	if err != nil {
		return nil, fmt.Errorf("greet mail server: %w", err)
	}
	connection, err := client.DialToSMTPClientWithContext(ctx)
	if refused, ok := errors.AsType[*textproto.Error](err); ok {
		// Servers like to repeat the account, which may be a person's address.
		return nil, fmt.Errorf("greet mail server: it answered %d", refused.Code)
	}
	if err != nil {
		return nil, fmt.Errorf("greet mail server: %w", err)
	}
	var secured *tls.ConnectionState
	if state, ok := connection.TLSConnectionState(); ok {
		secured = &state
	}
	if err := client.CloseWithSMTPClient(connection); err != nil {
		return nil, errors.Join(fmt.Errorf("leave mail server: %w", err), connection.Close())
	}
	return secured, nil
}
