# frozen_string_literal: true

ENV["RAILS_ENV"] = "test"
require_relative "../config/environment"
require "rspec/rails"

# What FactoryBot would be told.
module Factories
  def create(kind)
    case kind
    when :user then User.create!(name: "Ann", avatar_url: "/ann.png")
    when :chat_room then ChatRoom.create!(name: "Lobby")
    end
  end
end

RSpec.configure do |config|
  config.use_transactional_fixtures = true
  config.include Factories
  config.before { $redis.flushdb }
end
