# frozen_string_literal: true

# A timer, a stream with a block and an action that share instance variables.
class Timers::LiveChannel < ApplicationCable::Channel
  periodically :tick, every: 0.2

  def subscribed
    @events = []
    stream_from("timers_live_#{params[:room]}") { |payload| @events << payload }
  end

  def add(data)
    @events << data["text"]
  end

  private
    def tick
      transmit({ events: @events }) if @events.any?
    end
end
