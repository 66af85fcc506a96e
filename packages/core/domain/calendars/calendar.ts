/**
 * Calendars: versioned documents, cited by content hash. Local times are `HH:MM` in the document's own zone, instants
 * ISO 8601 with zone; the days of a week count from 1, Monday.
 */
export interface SessionsCalendar {
  name: string
  version: number
  kind: 'sessions'
  zone: string
  /** open from one local time of the week to another, both within one week; may not overlap */
  weekly: { from: { day: number; time: string }; to: { day: number; time: string } }[]
  /** name of the holidays calendar that applies; null: none */
  holidays: string | null
}
export interface HolidaysCalendar {
  name: string
  version: number
  kind: 'holidays'
  /** local dates of the sessions calendar's zone; `close`: sessions of that date end then; without it there is none */
  dates: { date: string; close?: string }[]
}
export interface NewsCalendar {
  name: string
  version: number
  kind: 'news'
  events: { at: string; currency: string; impact: 'low' | 'medium' | 'high'; title?: string }[]
}
export type Calendar = SessionsCalendar | HolidaysCalendar | NewsCalendar
