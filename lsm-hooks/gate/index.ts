export { GATE_CONFIG, gateObject } from './gate-program.js';
export {
  encodeTicket,
  encodeTicketFacts,
  isGplCompatible,
  TICKETS_MAP,
  type Ticket,
  type TicketFacts,
} from './ticket.js';
