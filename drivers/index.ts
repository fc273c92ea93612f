import { coldDs18b20 } from './cold-ds18b20.ts'
import { coldModbus } from './cold-modbus.ts'
import { gnssNmea } from './gnss-nmea.ts'
import { rfidUhfM100 } from './rfid-uhf-m100.ts'

/** One line a driver; the name is what `driver:` says in the configuration. */
export const drivers = {
  'cold-ds18b20': coldDs18b20,
  'cold-modbus': coldModbus,
  'gnss-nmea': gnssNmea,
  'rfid-uhf-m100': rfidUhfM100,
}

export type DriverName = keyof typeof drivers
