# frozen_string_literal: true

# A record as far as Action Cable is concerned: something with a global id.
class Member
  include GlobalID::Identification

  attr_reader :id

  class << self
    def find(id)
      new(id)
    end
  end

  def initialize(id)
    @id = id.to_s
  end

  def ==(other)
    other.is_a?(Member) && other.id == id
  end
end
