package dispatch

import (
	"context"
	"errors"

	"countersign/workflows"
)

// announceAtOnce is how many deliveries are announced in one go.
const announceAtOnce = 100

// announce tells the admins of deliveries that could not be understood. A crash between the
// two steps tells twice; the inbox knows an item by its id.
func (d *Dispatcher) announce(ctx context.Context) error {
	deliveries, err := d.cfg.Journal.Unannounced(ctx, announceAtOnce)
	if err != nil {
		return err
	}
	var errs []error
	for _, delivery := range deliveries {
		err := d.inbox.Tell(ctx, workflows.TellAdmins{
			Tenant: delivery.Tenant,
			Item:   workflows.DeliveryItem(delivery.ID, delivery.Source, delivery.Reason, d.cfg.Policy(delivery.Tenant)),
		})
		if err == nil {
			err = d.cfg.Journal.Announced(ctx, delivery.Tenant, delivery.ID)
		}
		if errs = append(errs, err); away(err) {
			break
		}
	}
	return errors.Join(errs...)
}
