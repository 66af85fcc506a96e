/**
 * Calendars: versioned documents, cited by content hash. Local times are `HH:MM` in the document's own zone, instants
 * ISO 8601 with zone; the days of a week count from 1, Monday.
 */
export interface WeekTime {
  day: number
  /** HH:MM; the end of a session may also be 24:00 */
  time: string
}
export interface SessionsCalendar {
  name: string
  version: number
  kind: 'sessions'
  zone: string
  /** open from one local time of the week up to another, both within one week; may touch, may not overlap */
  weekly: { from: WeekTime; to: WeekTime }[]
  /** name of the holidays calendar that applies; null: none */
  holidays: string | null
}
export interface HolidaysCalendar {
  name: string
  version: number
  kind: 'holidays'
  /**
   * Local dates of the sessions calendar's zone. Without `close` nothing is open on that date; with it the session that
   * runs at that time stays shut until its own end or the end of the date, whichever is first.
   */
  dates: { date: string; close?: string }[]
}
export interface NewsCalendar {
  name: string
  version: number
  kind: 'news'
  events: { at: string; currency: string; impact: 'low' | 'medium' | 'high'; title?: string }[]
}
export type Calendar = SessionsCalendar | HolidaysCalendar | NewsCalendar
