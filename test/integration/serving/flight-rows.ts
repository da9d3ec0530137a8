/** A flight that satisfies the contract of flight-delay. */
export const exampleRow = {
  carrier: 'UA',
  origin: 'EWR',
  dest: 'IAH',
  dow: 1,
  sched_dep_min: 315,
  sched_arr_min: 499,
  distance: 1400,
  temp: 39.02 as number | null,
  dewp: 28.04,
  humid: 64.43,
  wind_dir: 260,
  wind_speed: 12.65858,
  wind_gust: null as number | null,
  precip: 0,
  pressure: 1011.9,
  visib: 10,
  plane_age: 14,
  seats: 149,
  dep_delay: 2,
};
export type FlightRow = typeof exampleRow;
