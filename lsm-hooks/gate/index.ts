export { GATE_CONFIG, GATE_PROGRAMS, GUARDED_MAP, gateObject } from './gate-program.js';
export {
  encodeTicket,
  encodeTicketFacts,
  isGplCompatible,
  TICKETS_MAP,
  type Ticket,
  type TicketFacts,
} from './ticket.js';
