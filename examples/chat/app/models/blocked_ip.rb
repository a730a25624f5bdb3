# frozen_string_literal: true

class BlockedIp < ApplicationRecord
  validates :ip_address, presence: true, uniqueness: true
end
