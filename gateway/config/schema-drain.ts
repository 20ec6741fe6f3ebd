import { z } from 'zod';
import * as field from './fields.js';

/** How webtrunk stops. */
export const drain = z
  .strictObject({
    notice: field
      .duration(
        'How long, from SIGTERM on, new calls and registrations are still taken while `/readyz` says 503. Behind a load balancer longer than it needs to notice; alone nothing.',
        0,
        600_000,
        '5s',
      )
      .default('0s'),
    limit: field
      .duration('How long, from SIGTERM on, calls may go on before they are ended.', 0, 86_400_000, '60s')
      .default('60s'),
  })
  .meta({ description: 'How webtrunk stops.', example: '{ notice: 5s, limit: 30m }' });
