import { bleThermometer } from './ble-thermometer.ts'
import { coldBme280 } from './cold-bme280.ts'
import { coldDs18b20 } from './cold-ds18b20.ts'
import { coldFirmata } from './cold-firmata.ts'
import { coldModbus } from './cold-modbus.ts'
import { coldSht } from './cold-sht.ts'
import { contactGpio } from './contact-gpio.ts'
import { gnssNmea } from './gnss-nmea.ts'
import { mqttJson } from './mqtt-json.ts'
import { rfidUhfM100 } from './rfid-uhf-m100.ts'

/** One line a driver; the name is what `driver:` says in the configuration. */
export const drivers = {
  'ble-thermometer': bleThermometer,
  'cold-bme280': coldBme280,
  'cold-ds18b20': coldDs18b20,
  'cold-firmata': coldFirmata,
  'cold-modbus': coldModbus,
  'cold-sht': coldSht,
  'contact-gpio': contactGpio,
  'gnss-nmea': gnssNmea,
  'mqtt-json': mqttJson,
  'rfid-uhf-m100': rfidUhfM100,
}

export type DriverName = keyof typeof drivers
