# frozen_string_literal: true

# The channel of graphql-ruby's guide, with LiveQueries in the place of a schema.
class QueriesChannel < ApplicationCable::Channel
  def subscribed
    @subscription_ids = []
  end

  def execute(data)
    id = "#{device}:#{SecureRandom.uuid}"
    LiveQueries.write(LiveQueries::Query.new(id: id, topic: data["topic"], fingerprint: data["query"], channel: self))
    @subscription_ids << id
    transmit({ result: { data: nil }, more: true })
  end

  def unsubscribed
    before = LiveQueries.count_of(self)
    @subscription_ids.each { |id| LiveQueries.delete(id) }
    journal "unsubscribed", before: before, after: LiveQueries.count_of(self)
  end
end
